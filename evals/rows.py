"""A rows file: which models, suites and comparisons a table has. TOML; `evals/table.toml` is the one of this project.

suites = ["everyday.jsonl", "PandasEval.dev.jsonl"]   # beside the rows file, or in the folder of --suites
pairs = "heldout.jsonl"                               # optional: pairs to judge by exact match and edit similarity

[[columns]]                  # optional; without any, a column for each suite
name = "documentation, unseen packages"
suites = ["documentation"]   # names of suites, whose tasks are put together
unseen = true                # only tasks of packages that training never read

[[rows]]
name = "embedded model"
bundle = "runs/bundle"       # left out: the embedded one
mode = "sketch"              # or nosketch
samples = 20                 # optional: sampled in place of greedy, with a temperature
temperature = 0.8
candidates = 3               # optional: written for each sample, of which the first counts, as on request
knows = ["api_filter"]       # optional: what the server knows beside the model; left out: all, []: the bundle bare
pandas = "1.5.3"             # optional, as numpy: the release that the server is told the project uses

[[differences]]
one = "embedded model"
other = "embedded model, no sketch"

[[published]]                # figures of others, in percent, by column
name = "PyCodeGPT 110M"
"PandasEval, even half" = 12.75
"""

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from cert_lsp.engine.api_index import Versions
from cert_lsp.errors import EvalError
from evals.generate import Decoding


@dataclass(frozen=True)
class Column:
    """Tasks that are scored together.

    Attributes:
        name: Its heading.
        suites: Names of the suites that it takes.
        unseen: Whether only tasks of unseen packages count.
    """

    name: str
    suites: tuple[str, ...]
    unseen: bool = False


@dataclass(frozen=True)
class Row:
    """One model and how it is asked.

    Attributes:
        name: Its label.
        mode: `sketch` or `nosketch`.
        bundle: The model's folder; None for the embedded one.
        samples: Completions a task.
        temperature: 0 is greedy.
        top_p: Nucleus when sampling.
        candidates: As `Decoding.candidates`.
        knows: Which of the server's helps it has (`KNOWLEDGE` of the engine); None for all.
        pandas: The release that it is told the project uses; None for any.
        numpy: The same.
    """

    name: str
    mode: str
    bundle: Path | None = None
    samples: int = 1
    temperature: float = 0.0
    top_p: float = 0.9
    candidates: int = 1
    knows: tuple[str, ...] | None = None
    pandas: str | None = None
    numpy: str | None = None

    def __post_init__(self) -> None:
        """Make a file's list a tuple."""
        if self.knows is not None:
            object.__setattr__(self, "knows", tuple(self.knows))

    @property
    def decoding(self) -> Decoding:
        """The row's decoding, as `generate` takes it."""
        top_p = self.top_p if self.temperature else 1.0
        return Decoding(self.mode, self.temperature, top_p, candidates=self.candidates)

    @property
    def versions(self) -> Versions:
        """The releases that the engine is told the project uses."""
        return Versions(self.pandas, self.numpy)


@dataclass(frozen=True)
class Difference:
    """Two rows to compare, `one` less `other`."""

    one: str
    other: str


@dataclass(frozen=True)
class Rows:
    """A rows file, read; paths are those that exist, `missing` names the suites that were not found."""

    suites: tuple[Path, ...]
    missing: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    differences: tuple[Difference, ...] = ()
    published: tuple[dict[str, Any], ...] = ()
    pairs: Path | None = None


def read_rows(path: Path, elsewhere: Path | None) -> Rows:
    """Read a rows file.

    Args:
        path: The TOML file; relative paths in it start at its folder.
        elsewhere: A further folder to look for suites in.

    Raises:
        EvalError: It cannot be read, a key is unknown or missing, or it names what is not there.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EvalError(
            f"The rows file {path} cannot be read: {error}", "There is no table", "See evals/rows.py"
        ) from error
    known = {"suites", "pairs", "columns", "rows", "differences", "published"}
    if unknown := set(content) - known:
        raise _fault(path, f"{', '.join(sorted(unknown))} is no key of a rows file")
    here = path.parent
    folders = [here, *([elsewhere] if elsewhere else [])]
    named = {
        name: next((f / name for f in folders if (f / name).is_file()), None) for name in content.get("suites", [])
    }
    found = tuple(file for file in named.values() if file)
    rows = tuple(_made(Row, item, path) for item in content.get("rows", []))
    rows = tuple(Row(**{**vars(row), "bundle": here / row.bundle if row.bundle else None}) for row in rows)
    columns = tuple(
        _made(Column, item | {"suites": tuple(item.get("suites", ()))}, path) for item in content.get("columns", [])
    )
    if not columns:
        columns = tuple(Column(_name(file), (_name(file),)) for file in found)
    suites = {_name(file) for file in found}
    result = Rows(
        found,
        tuple(name for name, file in named.items() if file is None),
        tuple(column for column in columns if set(column.suites) <= suites),
        rows,
        tuple(_made(Difference, item, path) for item in content.get("differences", [])),
        tuple(content.get("published", [])),
        here / content["pairs"] if "pairs" in content else None,
    )
    labels = [row.name for row in rows]
    wrong = [d for d in result.differences if not {d.one, d.other} <= set(labels)]
    if not rows or not found or len(set(labels)) < len(labels) or wrong:
        raise _fault(path, "it names no row, no suite that is there, one row twice, or a difference of rows it has not")
    return result


def _made(kind: type, item: dict[str, Any], path: Path) -> Any:
    """One table of the file as its dataclass; a wrong key is told with the right ones."""
    try:
        return kind(**item)
    except TypeError as error:
        keys = ", ".join(one.name for one in fields(kind))
        raise _fault(path, f"{error} (the keys of [[{kind.__name__.lower()}s]] are {keys})") from error


def _name(file: Path) -> str:
    return file.name.removesuffix(".jsonl")


def _fault(path: Path, what: str) -> EvalError:
    return EvalError(f"The rows file {path} cannot be used: {what}", "There is no table", "Mend it; see evals/rows.py")
