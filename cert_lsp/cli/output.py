"""How commands print: JSON for scripts, plain text for people."""

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cert_lsp.engine.pipeline import Candidate


def write_json(value: object) -> None:
    """Print one JSON object on a line of its own."""
    sys.stdout.write(json.dumps(value, ensure_ascii=True) + "\n")


def write_candidates(candidates: "Sequence[Candidate]", elapsed: float, *, as_json: bool) -> None:
    """Print candidates: as JSON with the seconds that they took, or for people.

    People see score and sketch as comments, then the code without the line ends around it.
    """
    if as_json:
        found = [{"code": each.code, "sketch": each.sketch, "score": each.score} for each in candidates]
        write_json({"candidates": found, "elapsed_ms": round(1000 * elapsed, 1)})
        return
    for rank, each in enumerate(candidates, 1):
        head, *more = each.sketch.strip().splitlines() or ["(none)"]
        lines = [f"# {rank}  score {each.score:.2f}  sketch: {head}", *(f"#  {line}" for line in more)]
        sys.stdout.write("\n".join([*lines, each.code.strip("\r\n"), ""]))
