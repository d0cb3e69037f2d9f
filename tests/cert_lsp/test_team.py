"""The team's file while servers run: read again when it changes, and never missed."""

import logging
import os
from pathlib import Path

import pytest

from cert_lsp.contract.neighbours import Neighbour, write_neighbours
from cert_lsp.engine.context import whole_context
from cert_lsp.errors import NeighboursError
from cert_lsp.team import neighbours_in

CONTEXT = whole_context("# plot the bookings\n")


def write(path: Path, sketch: str) -> None:
    write_neighbours(path, [Neighbour("plot the bookings", sketch, body=False)])


def test_a_change_counts_and_an_absence_does_not(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "neighbours.jsonl.gz"
    with pytest.raises(NeighboursError):
        neighbours_in(path)
    write(path, "show()")
    first = neighbours_in(path)
    assert first.sketch_for(CONTEXT) == "show()"
    assert neighbours_in(path) is first
    path.unlink()
    assert neighbours_in(path) is first
    path.write_bytes(b"half of it")
    with caplog.at_level(logging.DEBUG):
        assert neighbours_in(path) is first
        assert neighbours_in(path) is first
    assert len(caplog.records) == 1
    write(path, "draw()")
    os.utime(path, (1, 1))
    assert neighbours_in(path).sketch_for(CONTEXT) == "draw()"
