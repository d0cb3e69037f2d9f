"""Records to the file in which a server looks up what the team wrote below the most similar intents."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import dedent

from cert_lsp.contract.neighbours import Neighbour, write_neighbours
from cert_lsp.contract.sketch import sketch
from cert_lsp.errors import SketchError
from trainer.retrain import feedback

NOT_ASKED = ("block", feedback.KIND)
"""Kinds of records that are no answer of a person to an intent: nobody spoke of the statement, or a model wrote it."""

_HAS_LITERAL = re.compile(r"['\"\d]")


def write(path: Path, records: Iterable[dict[str, str]]) -> None:
    """Write the neighbours that records are."""
    write_neighbours(path, neighbours_of(records))


def neighbours_of(records: Iterable[dict[str, str]]) -> Iterator[Neighbour]:
    """Yield each pair once, in the order of the records; a pair's layouts stand one behind the other."""
    last = ""
    for record in records:
        if record["kind"] in NOT_ASKED or record["key"] == last:
            continue
        last = record["key"]
        if whole := _whole(record):
            yield Neighbour(record["key"].partition("\n")[0], whole, record["kind"] == "docstring")


def _whole(record: dict[str, str]) -> str:
    """Return the sketch of a record's statements from their beginning, wherever its cursor stands; "" if there is none.

    What stands before the cursor and holds no literal is its own sketch, which spares parsing nearly all.
    """
    begun = record["head"].rpartition("\n")[2]
    try:
        wire = sketch(begun + record["code"]).wire if _HAS_LITERAL.search(begun) else begun + record["sketch"]
    except SketchError:
        return ""
    return dedent(wire).strip()
