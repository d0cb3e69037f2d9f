"""The protocol's edges, byte for byte, against the real server with a fake engine."""

import json
import os
import re
import subprocess
import sys
import time

import pytest

from tests.cert_lsp.raw_client import TEXT, URI, RawClient


def answers(client: RawClient, request_id: int) -> list[dict[str, object]]:
    return [each for each in client.received if "method" not in each and each["id"] == request_id]


def items(response: dict[str, dict[str, list[dict[str, str]]]]) -> list[dict[str, str]]:
    return response["result"]["items"]


def test_capabilities_are_advertised() -> None:
    with RawClient.fake() as client:
        result = client.initialize()
    assert result["serverInfo"]["name"] == "cert-lsp"
    capabilities = result["capabilities"]
    assert capabilities["inlineCompletionProvider"] == {}
    assert capabilities["completionProvider"]["triggerCharacters"]
    assert capabilities["textDocumentSync"]["change"] == 2
    assert capabilities["textDocumentSync"]["openClose"] is True
    assert capabilities["positionEncoding"] == "utf-16"
    assert set(capabilities["executeCommandProvider"]["commands"]) == {
        "cert.showSketch",
        "cert.completeFromSketch",
        "cert.status",
        "cert.pause",
        "cert.resume",
        "cert.reloadModel",
        "cert.accepted",
        "cert.clearFeedback",
    }


def test_initialize_returns_before_the_model_is_loaded_and_requests_wait_for_it() -> None:
    with RawClient.fake(loading=1.0) as client:
        client.initialize()
        status = client.response(client.request("workspace/executeCommand", {"command": "cert.status"}))
        assert status["result"]["state"] == "loading"
        client.open()
        [item] = items(client.response(client.inline()))
        assert item["insertText"].startswith("\ndf.sum()")
        status = client.response(client.request("workspace/executeCommand", {"command": "cert.status"}))
        assert status["result"] == {"state": "ready", "version": "0.1.0", "model": "fake", "message": None}


def test_storm_answers_each_request_once_and_works_on_the_last() -> None:
    with RawClient.fake(decoding=1.0) as client:
        client.initialize()
        client.open()
        ids = []
        for number in range(60):
            end = {"line": 2, "character": 22 + number}
            change = {"range": {"start": end, "end": end}, "text": "s"}
            document = {"uri": URI, "version": 2 + number}
            client.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})
            ids.append(client.inline(character=23 + number))
            if number == 30:
                status = client.request("workspace/executeCommand", {"command": "cert.status"})
                begun = time.monotonic()
                client.response(status, timeout=5)
                assert time.monotonic() - begun < 0.5
            time.sleep(0.03)
        begun = time.monotonic()
        [item] = items(client.response(ids[-1]))
        assert time.monotonic() - begun < 1.5
        assert "total of each column" + 60 * "s" in item["insertText"]
        client.drain()
        assert [len(answers(client, each)) for each in ids] == [1] * 60
        assert all(items(client.response(each)) == [] for each in ids[:-1])


def test_two_documents_do_not_supersede_each_other() -> None:
    with RawClient.fake(decoding=0.3) as client:
        client.initialize()
        client.open()
        client.open(uri="file:///other.py")
        first, second = client.inline(), client.inline(uri="file:///other.py")
        assert items(client.response(first))
        assert items(client.response(second))


def test_what_is_typed_is_read_ahead_until_it_is_asked_for() -> None:
    with RawClient.fake(decoding=2.0) as client:
        client.initialize()
        client.open()
        assert "cancelled 0" in items(client.response(client.inline()))[0]["insertText"]
        client.change(((2, 22), (2, 22), "s"))
        time.sleep(1)  # in which it is begun
        answer = client.response(client.inline(character=23))
        assert "begun 2, cancelled 1" in items(answer)[0]["insertText"]


def test_cancelled_request_is_answered_once_and_its_decode_ends() -> None:
    with RawClient.fake(decoding=5.0) as client:
        client.initialize()
        client.open()
        request = client.inline()
        time.sleep(0.3)
        client.notify("$/cancelRequest", {"id": request})
        assert client.response(request)["error"]["code"] == -32800
        begun = time.monotonic()
        client.notify("$/cancelRequest", {"id": request})
        arguments = [URI, {"line": 2, "character": 22}]
        command = client.request("workspace/executeCommand", {"command": "cert.showSketch", "arguments": arguments})
        time.sleep(0.2)
        client.notify("$/cancelRequest", {"id": command})
        assert client.response(command)["error"]["code"] == -32800
        assert time.monotonic() - begun < 2
        last = client.inline()
        [item] = items(client.response(last))
        assert "begun 3, cancelled 2" in item["insertText"]
        client.drain()
        assert [len(answers(client, each)) for each in (request, command, last)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"jsonrpc": "2.0", "id": 77, "method": "textDocument/inlineCompletion", "params": {"x": 1}}', -32602),
        (b'{"jsonrpc": "2.0", "id": 77, "method": "textDocument/inlineCompletion"}', -32602),
        (b'{"jsonrpc": "2.0", "id": 77, "method": "textDocument/completion", "params": [1, 2]}', -32602),
        (
            b'{"jsonrpc": "2.0", "id": 77, "method": "textDocument/inlineCompletion", "params": {"textDocument": '
            b'{"uri": "file:///work.py"}, "position": {"line": -1, "character": 0}, "context": {"triggerKind": 1}}}',
            -32602,
        ),
        (b'{"jsonrpc": "2.0", "id": 77, "method": "workspace/executeCommand", "params": {"command": "no"}}', -32602),
        (
            b'{"jsonrpc": "2.0", "id": 77, "method": "workspace/executeCommand", '
            b'"params": {"command": "cert.showSketch", "arguments": ["file:///work.py", {"line": "x"}]}}',
            -32602,
        ),
        (b'{"jsonrpc": "2.0", "id": 77, "method": "textDocument/unheardOf", "params": {}}', -32601),
        (b'{"jsonrpc": "1.0", "id": 77, "method": "shutdown"}', -32600),
    ],
)
def test_malformed_request_gets_an_error_and_no_popup(body: bytes, code: int) -> None:
    with RawClient.fake() as client:
        client.initialize()
        client.open()
        client.write(body)
        assert client.response(77)["error"]["code"] == code
        assert items(client.response(client.inline()))
        client.drain()
        assert not [each for each in client.received if each.get("method") == "window/showMessage"]
        assert len(answers(client, 77)) == 1


@pytest.mark.parametrize("body", [b"{not json", b"\xff\xfe", b"[" * 100_000, b"[]", b"7", b'"text"'])
def test_body_that_is_no_message_gets_an_error_without_id(body: bytes) -> None:
    with RawClient.fake() as client:
        client.initialize()
        client.write(body)
        assert client.response(None)["error"]["code"] in (-32700, -32600)
        client.open()
        assert items(client.response(client.inline()))


def test_malformed_notification_is_left_out_and_told_to_nobody() -> None:
    with RawClient.fake() as client:
        client.initialize()
        client.open()
        secret = {"textDocument": {"uri": URI}, "contentChanges": "a secret text"}
        client.notify("textDocument/didChange", secret)
        document = {"uri": "file:///closed.py", "version": 2}
        client.notify(
            "textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": "a secret text"}]}
        )
        client.notify("unheard/of", {"text": "a secret text"})
        assert items(client.response(client.inline()))
        client.response(client.request("shutdown"))
        client.notify("exit", None)
        client.exit_code()
        client.drain()
        assert "secret" not in client.stderr()
        assert not [each for each in client.received if each.get("method") == "window/showMessage"]


def test_requests_before_initialize_and_after_shutdown_are_refused() -> None:
    with RawClient.fake() as client:
        assert client.response(client.inline())["error"]["code"] == -32002
        client.open()
        client.initialize()
        assert items(client.response(client.inline())) == []
        assert client.response(client.request("shutdown"))["result"] is None
        assert client.response(client.inline())["error"]["code"] == -32600
        client.notify("exit", None)
        assert client.exit_code() == 0


def test_page_that_shares_the_process_with_another_is_served() -> None:
    with RawClient.fake() as client:
        client.initialize()
        again = client.response(client.request("initialize", {"processId": None, "rootUri": None, "capabilities": {}}))
        first = next(each for each in client.received if "capabilities" in (each.get("result") or {}))
        assert again["result"] == first["result"]
        client.notify("initialized", {})
        client.open()
        assert items(client.response(client.inline()))
        assert client.response(client.request("shutdown"))["result"] is None
        loaded = [each for each in client.received if each.get("params", {}).get("state") == "loading"]
        assert len(loaded) <= 1


def test_exit_without_shutdown_is_a_failure() -> None:
    with RawClient.fake() as client:
        client.initialize()
        client.notify("exit", None)
        assert client.exit_code() == 1


def test_exit_before_initialize_is_a_failure() -> None:
    with RawClient.fake() as client:
        client.notify("exit", None)
        assert client.exit_code() == 1


def test_end_of_input_ends_the_server_while_it_decodes() -> None:
    with RawClient.fake(decoding=30) as client:
        client.initialize()
        client.open()
        client.inline()
        time.sleep(0.3)
        client.close()
        assert client.exit_code() == 1


def test_shutdown_while_decoding_answers_and_exits() -> None:
    with RawClient.fake(decoding=30) as client:
        client.initialize()
        client.open()
        request = client.inline()
        time.sleep(0.3)
        client.response(client.request("shutdown"))
        assert client.response(request)["error"]["code"] == -32800
        client.notify("exit", None)
        assert client.exit_code() == 0


def test_exit_does_not_wait_for_a_model_that_is_being_loaded() -> None:
    with RawClient.fake(loading=30) as client:
        client.initialize()
        client.response(client.request("shutdown"))
        client.notify("exit", None)
        assert client.exit_code(5) == 0


def test_server_ends_when_its_editor_dies() -> None:
    editor = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with RawClient.fake() as client:
        client.initialize(process_id=editor.pid)
        time.sleep(1.0)
        assert client.process
        assert client.process.poll() is None
        editor.communicate(b"\n")
        assert client.exit_code() == 1


def test_editor_in_another_process_namespace_is_not_watched() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with RawClient.fake() as client:
        client.initialize(process_id=ended.pid)
        time.sleep(1.2)
        assert client.response(client.request("workspace/executeCommand", {"command": "cert.status"}))["result"]


def test_progress_is_shown_to_clients_that_have_it() -> None:
    with RawClient.fake(loading=0.5) as client:
        client.initialize({"window": {"workDoneProgress": True}})
        client.open()
        assert items(client.response(client.inline()))
        client.drain()
        kinds = [each["params"]["value"]["kind"] for each in client.received if each.get("method") == "$/progress"]
        assert kinds == ["begin", "end"]


def test_progress_is_kept_from_clients_that_lack_it() -> None:
    with RawClient.fake() as client:
        client.initialize()
        client.open()
        assert items(client.response(client.inline()))
        client.drain()
        assert not [each for each in client.received if "progress" in each.get("method", "").lower()]


def test_client_that_refuses_the_progress_bar_is_served() -> None:
    with RawClient.fake(loading=0.2) as client:
        client.answers.clear()
        client.initialize({"window": {"workDoneProgress": True}})
        create = client.wait_for("window/workDoneProgress/create")
        error = {"code": -32603, "message": "no"}
        client.write(json.dumps({"jsonrpc": "2.0", "id": create["id"], "error": error}).encode())
        client.open()
        assert items(client.response(client.inline()))


def test_damaged_model_gives_one_message_and_empty_answers() -> None:
    with RawClient.fake(loading=-0.2) as client:
        client.initialize()
        client.open()
        early = client.inline()
        message = client.wait_for("window/showMessage")["params"]
        assert message["type"] == 1
        for part in ("damaged", "no completions", "install it again"):
            assert part in message["message"]
        assert items(client.response(early)) == []
        assert items(client.response(client.inline())) == []
        arguments = [URI, {"line": 2, "character": 22}]
        command = client.request("workspace/executeCommand", {"command": "cert.showSketch", "arguments": arguments})
        assert "damaged" in client.response(command)["error"]["message"]
        status = client.response(client.request("workspace/executeCommand", {"command": "cert.status"}))["result"]
        assert status["state"] == "error"
        client.drain()
        assert len([each for each in client.received if each.get("method") == "window/showMessage"]) == 1


def test_fault_of_the_engine_gives_an_empty_answer_and_logs_no_text() -> None:
    with RawClient.fake() as client:
        client.initialize()
        client.open(TEXT + " explode secret")
        assert items(client.response(client.inline(character=100))) == []
        arguments = [URI, {"line": 2, "character": 100}]
        command = client.request("workspace/executeCommand", {"command": "cert.showSketch", "arguments": arguments})
        assert client.response(command)["error"]["code"] == -32603
        client.response(client.request("shutdown"))
        client.notify("exit", None)
        assert client.exit_code() == 0
        stderr = client.stderr()
        assert len(re.findall(r"^ValueError$", stderr, re.MULTILINE)) == 2
        assert stderr.count("fakes.py") >= 2
        assert "secret" not in stderr
        assert not [each for each in client.received if each.get("method") == "window/showMessage"]


def test_bad_settings_give_the_defaults_and_one_message() -> None:
    with RawClient.fake() as client:
        client.initialize(options={"candidates": "many", "threads": 0, "colour": "red"})
        message = client.wait_for("window/showMessage")["params"]
        assert message["type"] == 2
        for part in ("candidates", "threads", "colour"):
            assert part in message["message"]
        client.open()
        assert len(items(client.response(client.inline(kind=1)))) == 3
        client.drain()
        assert len([each for each in client.received if each.get("method") == "window/showMessage"]) == 1


def test_settings_are_taken() -> None:
    with RawClient.fake() as client:
        client.initialize(options={"candidates": 5})
        client.open()
        assert len(items(client.response(client.inline(kind=1)))) == 5
        assert len(items(client.response(client.inline(kind=2)))) == 1


@pytest.mark.parametrize(("encoding", "column"), [("utf-8", 27), ("utf-16", 25), ("utf-32", 24)])
def test_columns_count_in_the_negotiated_encoding(encoding: str, column: int) -> None:
    text = "import pandas as pd\ndf = pd.read_csv('a.csv')\n# total 🐼 of each column"
    with RawClient.fake() as client:
        result = client.initialize({"general": {"positionEncodings": [encoding, "utf-16"]}})
        assert result["capabilities"]["positionEncoding"] == encoding
        client.open(text)
        [item] = items(client.response(client.inline(character=column)))
        assert "total 🐼 of each column;" in item["insertText"]
        end = {"line": 2, "character": column}
        assert item["range"] == {"start": end, "end": end}
        edit = {"range": {"start": end, "end": end}, "text": "s"}
        document = {"uri": URI, "version": 2}
        client.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [edit]})
        [item] = items(client.response(client.inline(character=column + 1)))
        assert "total 🐼 of each columns;" in item["insertText"]
        beyond = items(client.response(client.inline(character=1000)))
        assert beyond[0]["range"] == {key: {"line": 2, "character": column + 1} for key in ("start", "end")}


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace("\n", "\r\n"),
        "import pandas as pd\rdf = pd.read_csv('a.csv')\r\n# total of each column",
        "import pandas as pd\nx = '\x0c\u2028'\n# total of each column",
        "import pandas as pd\nx = '\ud800'\n# total of each column",
        "import pandas as pd\ndef broken(:\n# total of each column",
    ],
)
def test_odd_texts_are_answered(text: str) -> None:
    with RawClient.fake() as client:
        client.initialize()
        client.open(text)
        [item] = items(client.response(client.inline()))
        assert item["insertText"].startswith("\ndf.sum()")


def test_hundred_thousand_lines_are_answered_fast() -> None:
    text = TEXT.replace("\n#", "\n" + "value = df['a'].mean()\n" * 100_000 + "#")
    with RawClient.fake() as client:
        client.initialize()
        client.open(text)
        assert items(client.response(client.inline(line=100_002)))
        begun = time.monotonic()
        for number in range(5):
            end = {"line": 100_002, "character": 22 + number}
            edit = {"range": {"start": end, "end": end}, "text": "s"}
            document = {"uri": URI, "version": 2 + number}
            client.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [edit]})
            assert items(client.response(client.inline(line=100_002, character=23 + number)))
        assert (time.monotonic() - begun) / 5 < 0.5


def test_document_that_is_not_open_gets_an_empty_answer() -> None:
    with RawClient.fake() as client:
        client.initialize()
        assert items(client.response(client.inline(uri="file:///never-opened.py"))) == []
        client.open()
        client.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
        assert items(client.response(client.inline())) == []


ITEM_SUPPORT = {
    "preselectSupport": True,
    "documentationFormat": ["markdown"],
    "insertTextModeSupport": {"valueSet": [1]},
}


def test_popup_uses_only_what_the_client_can_do() -> None:
    with RawClient.fake() as client:
        client.initialize()
        client.open()
        params = {"textDocument": {"uri": URI}, "position": {"line": 2, "character": 22}}
        item = client.response(client.request("textDocument/completion", params))["result"]["items"][0]
        assert "preselect" not in item
        assert "insertTextMode" not in item
        assert item["documentation"].startswith("df.sum()")


def test_popup_covers_the_word_before_the_cursor() -> None:
    with RawClient.fake() as client:
        client.initialize({"textDocument": {"completion": {"completionItem": ITEM_SUPPORT}}})
        client.open()
        params = {"textDocument": {"uri": URI}, "position": {"line": 2, "character": 22}}
        found = client.response(client.request("textDocument/completion", params))["result"]
        assert found["isIncomplete"] is True
        assert len(found["items"]) == 3
        first = found["items"][0]
        assert first["preselect"] is True
        assert first["insertTextMode"] == 1
        assert first["filterText"].startswith("columndf.sum()")
        assert first["label"].startswith("df.sum()")
        assert first["textEdit"]["newText"].startswith("column\ndf.sum()")
        assert first["textEdit"]["range"]["start"] == {"line": 2, "character": 16}
        assert first["textEdit"]["range"]["end"] == {"line": 2, "character": 22}
        assert "df.sum()" in first["documentation"]["value"]
        assert "Sketch" in first["documentation"]["value"]
        assert [each["sortText"] for each in found["items"]] == ["0000", "0001", "0002"]
        params["position"] = {"line": 1, "character": 3}
        assert client.response(client.request("textDocument/completion", params))["result"]["items"] == []


def test_popup_is_short_where_there_is_ghost_text_too() -> None:
    with RawClient.fake() as client:
        client.initialize({"textDocument": {"inlineCompletion": {}}})
        client.open()
        params = {"textDocument": {"uri": URI}, "position": {"line": 2, "character": 22}}
        assert len(client.response(client.request("textDocument/completion", params))["result"]["items"]) == 1


def test_tcp_serves_one_client_after_another() -> None:
    arguments = ["-m", "tests.cert_lsp.fake_server", "0", "0", "127.0.0.1:0"]
    process = subprocess.Popen([sys.executable, *arguments], stderr=subprocess.PIPE, env=os.environ)
    assert process.stderr
    try:
        port = int(process.stderr.readline().rsplit(b":", 1)[1])
        for _ in range(2):
            with RawClient.connect("127.0.0.1", port) as client:
                client.initialize()
                client.open()
                assert items(client.response(client.inline()))
                client.response(client.request("shutdown"))
                client.notify("exit", None)
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_what_has_no_content_may_be_left_out() -> None:
    with RawClient.fake() as client:
        client.response(client.request("initialize", {"processId": None, "rootUri": None, "capabilities": {}}))
        client.write(b'{"jsonrpc": "2.0", "method": "initialized"}')
        client.open()
        assert items(client.response(client.inline()))
        client.write(b'{"jsonrpc": "2.0", "id": 77, "method": "cert/status"}')
        assert client.response(77)["result"]["state"] == "ready"


def test_client_may_be_newer_than_the_server() -> None:
    kinds = {
        "completionItemKind": {"valueSet": [1, 99]},
        "completionItem": {"insertTextModeSupport": {"valueSet": [1, 9]}},
    }
    with RawClient.fake() as client:
        params = {
            "processId": None,
            "rootUri": None,
            "trace": "compact",
            "capabilities": {
                "general": {"positionEncodings": ["utf-7", "utf-32"]},
                "textDocument": {"completion": kinds, "colours": {"valueSet": ["red"]}},
            },
        }
        result = client.response(client.request("initialize", params))["result"]
        assert result["capabilities"]["positionEncoding"] == "utf-32"
        client.notify("initialized", {})
        client.notify("$/setTrace", {"value": "compact"})
        client.open()
        assert items(client.response(client.inline(kind=7)))
        params = {"textDocument": {"uri": URI}, "position": {"line": 2, "character": 22}}
        item = client.response(client.request("textDocument/completion", params))["result"]["items"][0]
        assert item["insertTextMode"] == 1


def test_log_has_a_line_for_each_change_of_the_status_and_no_text() -> None:
    with RawClient.fake(loading=1) as client:
        client.initialize()
        client.open(TEXT + " secret")
        assert items(client.response(client.inline(character=100)))
        client.command("cert.pause")
        client.open(TEXT + " explode secret")
        client.command("cert.resume")
        assert items(client.response(client.inline(character=100))) == []
        logged = client.notifications("window/logMessage")
        assert [each["type"] for each in logged] == [3, 3, 3, 3, 1]
        for each, said in zip(logged, ["loading", "ready (fake)", "paused", "ready", "ValueError"], strict=True):
            assert said in each["message"]
        assert "secret" not in json.dumps(logged)


def test_edits_hold_in_the_order_of_their_arrival() -> None:
    with RawClient.fake() as client:
        client.initialize()
        client.open()
        client.change(((2, 22), (2, 22), "s"), version=7)
        client.change(((9, 9), (9, 9), " and row"), ((2, 31), (2, 28), "r"), version=3)
        [item] = items(client.response(client.inline(character=1000)))
        assert "total of each columns and r;" in item["insertText"]
        assert item["range"]["start"] == {"line": 2, "character": 29}


@pytest.mark.parametrize(
    "header", [b"content-length: %d\r\n", b"CONTENT-LENGTH:%d \r\n", b"content-type: a; b=c\r\ncontent-length: %d\r\n"]
)
def test_headers_may_be_spelled_otherwise(header: bytes) -> None:
    with RawClient.fake() as client:
        client.write(json.dumps({"jsonrpc": "2.0", "id": 99, "method": "cert/status"}).encode(), header)
        assert client.response(99)


def test_server_whose_output_nobody_reads_ends() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.cert_lsp.fake_server", "0", "0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout
    process.stdout.close()
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "shutdown"}).encode()
    process.communicate(b"Content-Length: %d\r\n\r\n%s" % (len(body), body), timeout=20)
    assert process.returncode == 1


@pytest.mark.parametrize(
    ("position", "word", "inserted"), [((2, 22), "column", "\ndf.sum()"), ((3, 10), "df", "dfdf.sum()")]
)
def test_client_without_tab_stops_may_look_at_the_inserted_text_alone(
    position: tuple[int, int], word: str, inserted: str
) -> None:
    with RawClient.fake() as client:
        client.initialize({"textDocument": {"completion": {"completionItem": {"commitCharactersSupport": True}}}})
        client.open(f"{TEXT}\ntotal = df")
        params = {"textDocument": {"uri": URI}, "position": dict(zip(("line", "character"), position, strict=True))}
        [item, *_] = client.response(client.request("textDocument/completion", params))["result"]["items"]
        assert item["insertText"].startswith(inserted)
        assert item["textEdit"]["newText"] == item["filterText"]
        assert item["filterText"].startswith(word)
        assert item["filterText"].endswith(item["insertText"])


def test_answers_that_differ_in_style_alone_are_one() -> None:
    with RawClient.fake() as client:
        client.initialize()
        client.open(f"{TEXT} of twins")
        [item] = items(client.response(client.inline(character=31, kind=1)))
        assert item["insertText"] == "\ndf['a']"
        arguments = [URI, {"line": 2, "character": 31}]
        assert len(client.command("cert.showSketch", *arguments)["candidates"]) == 1
