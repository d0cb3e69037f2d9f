"""A team's intents and the sketches of what was written there, as a file that the trainer writes and the server reads.

JSON Lines, compressed by gzip: `intent`, `sketch` (wire text of whole statements, as they stand at a margin) and `body`
(whether it is that of a function, by its docstring). The same pairs give the same bytes.
"""

import gzip
import io
import json
import zlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from cert_lsp.errors import NeighboursError

FILE = "neighbours.jsonl.gz"


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An intent that somebody wrote down, and the sketch of the code that stands below it.

    Attributes:
        intent: What the comment or docstring says.
        sketch: Wire text.
        body: Whether it is the whole body of a function whose docstring is the intent.
    """

    intent: str
    sketch: str
    body: bool


def write_neighbours(path: Path, neighbours: Iterable[Neighbour]) -> None:
    """Write a file, whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    with (
        partial.open("wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed,
        io.TextIOWrapper(packed, encoding="utf-8") as file,
    ):
        file.writelines(json.dumps(asdict(each)) + "\n" for each in neighbours)
    partial.replace(path)


def read_neighbours(path: Path) -> list[Neighbour]:
    """Read a file.

    Raises:
        NeighboursError: It is missing, damaged, or no such file.
    """
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            return [_neighbour(**json.loads(line)) for line in file]
    except (OSError, EOFError, ValueError, TypeError, zlib.error) as error:
        raise NeighboursError(
            f"{path} cannot be read ({type(error).__name__}: {error})",
            "nothing is looked up in the team's code",
            f"name the {FILE} that `python -m trainer watch` keeps in OUT/current",
        ) from error


def _neighbour(intent: object, sketch: object, body: object) -> Neighbour:
    if not (isinstance(intent, str) and isinstance(sketch, str) and isinstance(body, bool)):
        raise TypeError("a line holds intent, sketch and body")
    return Neighbour(intent, sketch, body)
