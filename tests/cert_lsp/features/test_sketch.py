"""Sketches shown, changed and followed."""

import pytest

from tests.cert_lsp.raw_client import URI, RawClient

HERE = {"line": 2, "character": 22}
NOWHERE = {"line": 0, "character": 0}


def error(client: RawClient, command: str, *arguments: object) -> int:
    request = client.request("workspace/executeCommand", {"command": command, "arguments": list(arguments)})
    return client.response(request)["error"]["code"]


def test_sketches_come_with_code_and_score() -> None:
    with RawClient.fake() as client:
        client.initialize()
        client.open()
        candidates = client.command("cert.showSketch", URI, HERE)["candidates"]
        assert [each["score"] for each in candidates] == [0, -1, -2]
        assert all(each["sketch"] == "df.sum()" and each["code"].startswith("\ndf.sum()") for each in candidates)
        assert len(client.command("cert.showSketch", URI, HERE, 5)["candidates"]) == 5
        assert client.command("cert.showSketch", URI, NOWHERE) == {"candidates": []}


def test_code_follows_from_the_sketch_that_is_sent() -> None:
    with RawClient.fake() as client:
        client.initialize()
        client.open()
        [first, *_] = client.command("cert.completeFromSketch", URI, HERE, "df[$string].max()")["candidates"]
        assert isinstance(first.pop("id"), str)
        assert first == {"code": "\ndf['a'].max()", "sketch": "df[$string].max()", "score": 0}
        assert client.command("cert.completeFromSketch", URI, NOWHERE, "df") == {"candidates": []}


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("cert.showSketch", []),
        ("cert.showSketch", [URI]),
        ("cert.showSketch", [URI, HERE, 0]),
        ("cert.showSketch", [URI, HERE, "3"]),
        ("cert.showSketch", [URI, 7]),
        ("cert.showSketch", ["file:///closed.py", HERE]),
        ("cert.completeFromSketch", [URI, HERE]),
        ("cert.completeFromSketch", [URI, HERE, None]),
        ("cert.completeFromSketch", [URI, {"line": -1, "character": 0}, "x"]),
    ],
)
def test_arguments_of_another_form_are_refused(command: str, arguments: list[object]) -> None:
    with RawClient.fake() as client:
        client.initialize()
        client.open()
        assert error(client, command, *arguments) == -32602


def test_sketch_that_the_model_cannot_read_is_told() -> None:
    with RawClient.fake() as client:
        client.initialize()
        client.open()
        assert error(client, "cert.completeFromSketch", URI, HERE, "$string " * 1_000) == -32803


def test_newer_request_takes_over() -> None:
    with RawClient.fake(decoding=2) as client:
        client.initialize()
        client.open()
        params = {"command": "cert.completeFromSketch", "arguments": [URI, HERE, "df[$string]"]}
        first, second = (client.request("workspace/executeCommand", params) for _ in range(2))
        assert client.response(first)["error"]["code"] == -32801
        assert client.response(second)["result"]["candidates"]
