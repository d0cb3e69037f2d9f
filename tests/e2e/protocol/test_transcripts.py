"""The same session with clients of different abilities, compared word for word with what they said before.

``pytest tests/e2e/protocol --write-transcripts`` writes the golden files anew. What the model says is no matter of the
protocol: «code» and the like stand for it, and the first of several answers for all.
"""

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

from tests.e2e.protocol.conftest import FLIGHTS

GOLDEN = Path(__file__).parent / "golden"
URI = "file:///flights.py"
INTENT = "# \N{PANDA FACE} average delay per carrier"
TEXT = FLIGHTS.replace("# average delay per carrier\n", INTENT)
WIDTHS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}


def end_of_intent(client: LanguageClient, result: types.InitializeResult) -> types.Position:
    """The cursor behind the comment, in the encoding that was agreed on."""
    agreed = result.capabilities.position_encoding
    encoding, width = WIDTHS[str(getattr(agreed, "value", agreed))]
    return types.Position(4, len(INTENT.encode(encoding)) // width)


async def play(client: LanguageClient, capabilities: types.ClientCapabilities) -> None:
    """One session, from `initialize` to `exit`; each step waits for the one before."""
    ready, states = asyncio.Event(), list[str]()

    def state_changed(status: Any) -> None:
        states.append(status.state)
        if status.state == "ready":
            ready.set()

    def run(command: str, *arguments: Any) -> Any:
        return client.workspace_execute_command_async(types.ExecuteCommandParams(command, list(arguments)))

    client.feature("cert/statusChanged")(state_changed)
    client.feature(types.CLIENT_REGISTER_CAPABILITY)(lambda params: None)
    client.set_configuration({"cert": {"candidates": 2}})
    result = await client.initialize_session(types.InitializeParams(capabilities=capabilities))
    await ready.wait()
    at = end_of_intent(client, result)
    here = {"line": at.line, "character": at.character}
    document = types.TextDocumentIdentifier(URI)
    client.text_document_did_open(types.DidOpenTextDocumentParams(types.TextDocumentItem(URI, "python", 1, TEXT)))
    text_document = capabilities.text_document
    if text_document and text_document.inline_completion:
        context = types.InlineCompletionContext(types.InlineCompletionTriggerKind.Automatic)
        inline = types.InlineCompletionParams(context, document, at)
        assert (await client.text_document_inline_completion_async(inline)).items
        # Asked anew for something else, and not wanted any more.
        invoked = types.InlineCompletionContext(types.InlineCompletionTriggerKind.Invoked)
        params = types.InlineCompletionParams(invoked, document, at)
        future = client.protocol.send_request(types.TEXT_DOCUMENT_INLINE_COMPLETION, params, msg_id="unwanted")
        client.cancel_request(types.CancelParams("unwanted"))
        with pytest.raises(JsonRpcException):
            await asyncio.wrap_future(future)
    popup = await client.text_document_completion_async(types.CompletionParams(document, at))
    await run("cert.showSketch", URI, here)
    await run("cert.completeFromSketch", URI, here, "flights.groupby($string)[$string].median()")
    item = popup.items[0]
    change = types.TextDocumentContentChangePartial(types.Range(at, at), f"\n{item.label}")
    identifier = types.VersionedTextDocumentIdentifier(2, URI)
    client.text_document_did_change(types.DidChangeTextDocumentParams(identifier, [change]))
    await run(item.command.command, *item.command.arguments)
    assert await client.text_document_hover_async(types.HoverParams(document, types.Position(5, 2)))
    await run("cert.pause")
    assert not (await client.text_document_completion_async(types.CompletionParams(document, at))).items
    await run("cert.resume")
    with pytest.raises(JsonRpcException):
        await run("cert.unheardOf")
    client.text_document_did_close(types.DidCloseTextDocumentParams(document))
    assert states == ["loading", "ready", "paused", "ready"]
    await client.shutdown_session()


def without_the_model(value: Any, key: str = "") -> Any:
    """Put a sign in the place of what a model may say otherwise, or what is new in each run."""
    if isinstance(value, dict):
        return {name: without_the_model(each, name) for name, each in value.items()}
    if isinstance(value, list):
        answers = value[:1] if key in ("items", "candidates") else value
        return [without_the_model(each, key) for each in answers]
    if isinstance(value, int | float | None):
        return f"«{key}»" if key in ("score", "processId") else value
    match key:
        case "insertText" | "newText" | "label" | "filterText" | "code" | "sketch" | "model" | "version":
            return f"«{key}»"
        case "value" | "documentation" | "contents" if "\n" in value:
            return "«words»"
        case "message":
            return re.sub(r"\((?!the model)\S+\)", "(«model»)", re.sub(r"CERT-LSP \S+:", "CERT-LSP «version»:", value))
        case "text" if value.startswith("\n"):
            return "«code»"
        case _:
            return value


def transcript(file: Path, profile: str) -> list[dict[str, Any]]:
    """What was said, less what is new in each run."""
    text = file.read_text(encoding="utf-8")
    for number, each in enumerate(dict.fromkeys(re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", text))):
        text = text.replace(each, f"«{number}»")
    said = [json.loads(line) for line in text.splitlines()]
    [initialize] = [each["message"] for each in said if each["message"].get("method") == "initialize"]
    initialize["params"]["capabilities"] = f"«{profile}»"
    return [without_the_model(each) for each in said]


@pytest.mark.parametrize("profile", ["visual-studio-code", "neovim", "emacs"])
async def test_session_goes_as_it_went_before(
    profile: str, environment: Path, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    recorded = tmp_path / "recorded.jsonl"
    recorder = [sys.executable, str(Path(__file__).with_name("recorder.py")), str(recorded)]
    command = [*recorder, str(environment / "cert-lsp"), "serve", "--stdio"]
    client = await ClientServerConfig(server_command=command).start()
    assert isinstance(client, LanguageClient)
    capabilities = client_capabilities(profile)
    if profile != "emacs":  # the profiles are older than it
        assert capabilities.text_document
        capabilities.text_document.inline_completion = types.InlineCompletionClientCapabilities()
    await asyncio.wait_for(play(client, capabilities), 240)
    assert client._server
    assert client._server.returncode == 0
    await client.stop()

    said, golden = transcript(recorded, profile), GOLDEN / f"{profile}.jsonl"
    if pytestconfig.getoption("write_transcripts"):
        golden.write_text("".join(json.dumps(each, ensure_ascii=False) + "\n" for each in said), encoding="utf-8")
    before = [json.loads(line) for line in golden.read_text(encoding="utf-8").splitlines()]
    for source in ("client", "server"):  # how the two streams lie in time is chance
        now, then = ([each["message"] for each in one if each["source"] == source] for one in (said, before))
        assert now == then
