"""The file of a team's intents: what is written is read again, the same bytes each time, and faults are told."""

import gzip
from pathlib import Path

import pytest

from cert_lsp.contract.neighbours import Neighbour, read_neighbours, write_neighbours
from cert_lsp.errors import NeighboursError

NEIGHBOURS = [
    Neighbour("mean delay per carrier", "delays = flights.groupby($string)[$string].mean()", body=False),
    Neighbour("Größe in 日本\u2028", "x = $number\ny = x", body=True),
]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "n.jsonl.gz"
    write_neighbours(path, iter(NEIGHBOURS))
    assert read_neighbours(path) == NEIGHBOURS
    before = path.read_bytes()
    write_neighbours(path, NEIGHBOURS)
    assert path.read_bytes() == before
    write_neighbours(path, [])
    assert read_neighbours(path) == []
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"no gzip",
        gzip.compress(b"no JSON\n"),
        gzip.compress(b"[1]\n"),
        gzip.compress(b'{"intent": "x"}\n'),
        gzip.compress(b'{"intent": "x", "sketch": "y", "body": false}\n' * 99)[:-9],
        gzip.compress(b"\xff\n"),
        gzip.compress(b'{"intent": 1, "sketch": "y", "body": false}\n'),
    ],
)
def test_what_is_no_such_file_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "n.jsonl.gz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(NeighboursError, match="trainer watch"):
        read_neighbours(path)
