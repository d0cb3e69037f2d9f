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


def write_candidates(candidates: "Sequence[Candidate]") -> None:
    """Print each candidate: its score, its sketch, then exactly the code that would be inserted."""
    for rank, each in enumerate(candidates, 1):
        sketch = each.sketch.strip("\n").replace("\n", "\n#           ")
        sys.stdout.write(
            f"# {rank}. sketch: {sketch}   (score {each.score:.2f})\n" if sketch.strip() else f"# {rank}. "
        )
        if not sketch.strip():
            sys.stdout.write(f"without sketch   (score {each.score:.2f})\n")
        sys.stdout.write(each.code.strip("\n") + "\n")
