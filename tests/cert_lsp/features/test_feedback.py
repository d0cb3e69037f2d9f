"""Acceptance, hover on what was accepted, and the log for those who want one."""

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from cert_lsp import feedback
from cert_lsp.feedback import FeedbackLog
from tests.cert_lsp.raw_client import TEXT, URI, RawClient

HERE = {"line": 2, "character": 22}


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "XDG_STATE_HOME": str(folder)}


def records(folder: Path) -> list[dict[str, Any]]:
    file = folder / "cert-lsp" / "feedback.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def accept(client: RawClient) -> dict[str, Any]:
    """Do as an editor does: insert the item's text, then run its command."""
    [item] = client.response(client.inline())["result"]["items"]
    client.change(((2, 22), (2, 22), item["insertText"]))
    command = item["command"]
    assert client.command(command["command"], *command["arguments"]) is None
    return item


def hover(client: RawClient, line: int, character: int) -> dict[str, Any] | None:
    params = {"textDocument": {"uri": URI}, "position": {"line": line, "character": character}}
    return client.response(client.request("textDocument/hover", params))["result"]


def test_hover_tells_the_sketch_and_why() -> None:
    with RawClient.fake() as client:
        client.initialize({"textDocument": {"hover": {"contentFormat": ["markdown"]}}})
        client.open()
        assert hover(client, 2, 5) is None
        accept(client)
        told = hover(client, 3, 2)
        assert told
        assert told["contents"]["kind"] == "markdown"
        for part in ("df.sum()", "fake", "total of each column", "100%", "API that exists"):
            assert part in told["contents"]["value"]
        assert hover(client, 0, 3) is None
        client.change(((3, 0), (3, 2), "frame"))
        assert hover(client, 3, 2) is None


@pytest.mark.parametrize("formats", [{}, {"contentFormat": ["plaintext"]}])
def test_hover_is_plain_where_there_is_no_markdown(formats: dict[str, list[str]]) -> None:
    with RawClient.fake() as client:
        client.initialize({"textDocument": {"hover": formats}})
        client.open()
        accept(client)
        told = hover(client, 3, 2)
        assert told
        plain = told["contents"]["value"] if formats else told["contents"]
        assert plain.startswith("CERT sketch: df.sum()")


def test_code_from_a_changed_sketch_is_remembered_and_written_as_any_other(tmp_path: Path) -> None:
    with RawClient.fake(env=environment(tmp_path)) as client:
        client.initialize(options={"feedback": True})
        client.open()
        [found, *_] = client.command("cert.completeFromSketch", URI, HERE, "df[$string].max()")["candidates"]
        client.change(((2, 22), (2, 22), found["code"]))
        assert client.command("cert.accepted", found["id"]) is None
        assert hover(client, 3, 2)
        shown, *_, accepted = records(tmp_path)
        assert (shown["event"], shown["sketch"]) == ("shown", "df[$string].max()")
        assert (accepted["event"], accepted["id"]) == ("accepted", shown["id"])


def test_nothing_is_written_unless_it_is_wanted(tmp_path: Path) -> None:
    with RawClient.fake(env=environment(tmp_path)) as client:
        client.initialize()
        client.open()
        accept(client)
        client.drain(1.0)
        assert list(tmp_path.iterdir()) == []
        assert client.command("cert.clearFeedback") == {"deleted": False}


def test_shown_accepted_and_kept_are_written_for_who_wants_it(tmp_path: Path) -> None:
    with RawClient.fake(env=environment(tmp_path)) as client:
        client.initialize(options={"feedback": True})
        client.open()
        client.response(client.inline())
        item = accept(client)
        client.wait_until(lambda: len(records(tmp_path)) == 3)
        shown, accepted, kept = records(tmp_path)
        assert [each["event"] for each in (shown, accepted, kept)] == ["shown", "accepted", "kept"]
        assert shown["id"] == accepted["id"] == kept["id"]
        assert shown["head"].endswith("# total of each column\n")
        assert item["insertText"] == f"\n{shown['code']}"
        assert shown["sketch"] == "df.sum()"
        assert kept["kept"] is True
        file = tmp_path / "cert-lsp" / "feedback.jsonl"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert client.command("cert.clearFeedback") == {"deleted": True}
        assert not file.exists()


def test_what_was_changed_again_is_not_kept(tmp_path: Path) -> None:
    with RawClient.fake(env=environment(tmp_path)) as client:
        client.initialize(options={"feedback": True})
        client.open()
        accept(client)
        client.change(((3, 0), (3, 2), "frame"))
        client.wait_until(lambda: len(records(tmp_path)) == 3)
        assert records(tmp_path)[-1]["kept"] is False


def test_acceptance_of_something_unknown_is_no_error() -> None:
    with RawClient.fake() as client:
        client.initialize()
        assert client.command("cert.accepted", "99.0") is None
        for arguments in ([], [7], ["1.0", "2.0"]):
            request = client.request("workspace/executeCommand", {"command": "cert.accepted", "arguments": arguments})
            assert client.response(request)["error"]["code"] == -32602


def test_popup_items_are_accepted_in_the_same_way() -> None:
    with RawClient.fake() as client:
        client.initialize()
        client.open()
        params = {"textDocument": {"uri": URI}, "position": HERE}
        item = client.response(client.request("textDocument/completion", params))["result"]["items"][1]
        client.change(((2, 16), (2, 22), item["textEdit"]["newText"]))
        client.command(item["command"]["command"], *item["command"]["arguments"])
        told = hover(client, 3, 2)
        assert told
        assert "second of 3" in told["contents"]


def test_log_takes_any_text_and_is_cut_off_at_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedback, "_LIMIT", 100)
    log = FeedbackLog(tmp_path)
    for number in range(3):
        log.write("shown", str(number), head="\ud800🐼" * 20)
    assert [json.loads(line)["id"] for line in (tmp_path / "feedback.1.jsonl").read_text().splitlines()] == ["2"]
    assert not log.file.exists()
    assert log.clear()
    assert list(tmp_path.iterdir()) == []


def test_ghost_text_is_one_statement_and_the_rest_after_it_is_accepted() -> None:
    with RawClient.fake() as client:
        client.initialize()
        client.open(f"{TEXT} twice")
        [item] = client.response(client.inline(character=28))["result"]["items"]
        assert item["insertText"] == "\nfirst = df.sum()"
        client.change(((2, 28), (2, 28), item["insertText"]))
        [item] = client.response(client.inline(3, 16))["result"]["items"]
        assert item["insertText"] == "\nsecond = first + 1"  # of the first decode
        assert len(client.response(client.inline(2, 28, kind=1))["result"]["items"]) == 3


def test_explicit_request_gets_all_of_it() -> None:
    with RawClient.fake() as client:
        client.initialize()
        client.open(f"{TEXT} twice")
        items = client.response(client.inline(character=28, kind=1))["result"]["items"]
        whole = "\nfirst = df.sum()\nsecond = first + 1"
        assert [each["insertText"] for each in items] == [whole, f"{whole}  # 1", f"{whole}  # 2"]


@pytest.mark.parametrize(
    ("snippets", "inserted"),
    [(True, 'quoted\ndf[${1:"a"}].head(${2:3})$0'), (False, 'quoted\ndf["a"].head(3)')],
)
def test_popup_has_tab_stops_at_the_sketchs_placeholders(snippets: bool, inserted: str) -> None:
    with RawClient.fake() as client:
        client.initialize({"textDocument": {"completion": {"completionItem": {"snippetSupport": snippets}}}})
        client.open('import pandas as pd\ndf = pd.read_csv("a")\n# quoted')
        params = {"textDocument": {"uri": URI}, "position": {"line": 2, "character": 8}}
        item = client.response(client.request("textDocument/completion", params))["result"]["items"][0]
        assert item["textEdit"]["newText"] == inserted
        assert item["insertTextFormat"] == (2 if snippets else 1)
