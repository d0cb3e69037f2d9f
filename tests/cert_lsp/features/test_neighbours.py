"""Neighbours that the settings name: looked up, read again while the server runs, and told of when they are no good."""

from pathlib import Path

from cert_lsp.contract.neighbours import Neighbour, write_neighbours
from tests.cert_lsp.raw_client import RawClient

INTENT = "plot the bookings"


def answer(client: RawClient, uri: str) -> str:
    client.open(f"import pandas as pd\n# {INTENT}", uri)
    [item, *_] = client.response(client.inline(1, len(INTENT) + 2, uri, kind=1))["result"]["items"]
    return item["insertText"]


def test_neighbours_are_followed(tmp_path: Path) -> None:
    path = tmp_path / "neighbours.jsonl.gz"
    write_neighbours(path, [Neighbour(INTENT, "show(df)", body=False)])
    with RawClient.fake() as client:
        client.initialize(options={"neighbours": str(path)})
        assert answer(client, "file:///one.py") == "\nshow(df)"
        write_neighbours(path, [Neighbour(INTENT, "draw(df, 1, 2, 3)", body=False)])
        assert answer(client, "file:///two.py") == "\ndraw(df, 1, 2, 3)"


def test_what_cannot_be_read_is_told_once_and_the_model_answers(tmp_path: Path) -> None:
    with RawClient.fake() as client:
        client.initialize(options={"neighbours": str(tmp_path / "none.gz")})
        for name in "abc":
            assert answer(client, f"file:///{name}.py").startswith("\ndf.sum()")
        [shown] = client.notifications("window/showMessage")
        assert shown["type"] == 2
        assert "none.gz cannot be read" in shown["message"]
