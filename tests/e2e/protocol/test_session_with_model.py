"""One user's session, from start to exit, with the model that is shipped."""

import ast
import asyncio
import re
import time

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pytest_lsp import LanguageClient

from tests.e2e.protocol.conftest import COMMENT_END, FLIGHTS, inline, open_text


def insert(text: str, position: types.Position, code: str) -> str:
    lines = text.split("\n")
    line = lines[position.line]
    lines[position.line] = line[: position.character] + code + line[position.character :]
    return "\n".join(lines)


async def test_server_advertises_what_it_does(client: LanguageClient) -> None:
    capabilities = client.result.capabilities
    assert capabilities.inline_completion_provider == types.InlineCompletionOptions()
    assert capabilities.text_document_sync.change is types.TextDocumentSyncKind.Incremental
    assert client.result.server_info.name == "cert-lsp"


async def test_model_loads_with_progress(client: LanguageClient, uri: str) -> None:
    await inline(client, open_text(client, uri), COMMENT_END)
    [reports] = client.progress_reports.values()
    deadline = time.monotonic() + 10
    while len(reports) < 2 and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
    assert [type(each) for each in reports] == [types.WorkDoneProgressBegin, types.WorkDoneProgressEnd]
    assert client.messages == []


async def test_comment_becomes_ghost_text_that_parses(client: LanguageClient, uri: str) -> None:
    [item] = await inline(client, open_text(client, uri), COMMENT_END)
    assert item.range == types.Range(COMMENT_END, COMMENT_END)
    code = item.insert_text
    assert isinstance(code, str)
    assert code.startswith("\n")
    assert "flights" in code
    ast.parse(insert(FLIGHTS, COMMENT_END, code))


async def test_half_written_statement_is_finished(client: LanguageClient, uri: str) -> None:
    text = FLIGHTS + "delays = flights.gro"
    position = types.Position(5, len("delays = flights.gro"))
    [item] = await inline(client, open_text(client, uri, text), position)
    assert isinstance(item.insert_text, str)
    assert item.insert_text.startswith("upby")
    ast.parse(insert(text, position, item.insert_text))


async def test_typing_the_comment_gives_the_same_as_opening_it(client: LanguageClient, uri: str) -> None:
    expected = await inline(client, open_text(client, uri), COMMENT_END)
    typed = uri.replace("flights.py", "typed.py")
    document = open_text(client, typed, FLIGHTS.replace("# average delay per carrier\n", ""))
    requests: list[asyncio.Task[list[types.InlineCompletionItem]]] = []
    for column, letter in enumerate("# average delay per carrier"):
        here = types.Position(4, column)
        change = types.TextDocumentContentChangePartial(types.Range(here, here), letter)
        identifier = types.VersionedTextDocumentIdentifier(2 + column, typed)
        client.text_document_did_change(types.DidChangeTextDocumentParams(identifier, [change]))
        requests.append(asyncio.create_task(inline(client, document, types.Position(4, column + 1))))
        await asyncio.sleep(0.02)
    answers = await asyncio.gather(*requests)
    assert [item.insert_text for item in answers[-1]] == [item.insert_text for item in expected]
    assert expected


async def test_popup_offers_what_ghost_text_offers(client: LanguageClient, uri: str) -> None:
    document = open_text(client, uri)
    [ghost] = await inline(client, document, COMMENT_END)
    result = await client.text_document_completion_async(types.CompletionParams(document, COMMENT_END))
    assert isinstance(result, types.CompletionList)
    best = result.items[0]
    assert isinstance(best.text_edit, types.TextEdit)
    assert best.insert_text_format is types.InsertTextFormat.Snippet
    plain = re.sub(r"\$\{\d+:((?:\\.|[^\\}])*)\}|\$0", r"\1", best.text_edit.new_text)
    assert plain == f"carrier{ghost.insert_text}"
    assert best.preselect is True
    assert isinstance(best.documentation, types.MarkupContent)
    assert "Sketch" in best.documentation.value


async def test_sketches_are_shown_with_the_code_they_lead_to(client: LanguageClient, uri: str) -> None:
    open_text(client, uri)
    arguments = [uri, {"line": COMMENT_END.line, "character": COMMENT_END.character}]
    params = types.ExecuteCommandParams("cert.showSketch", arguments)
    result = await client.workspace_execute_command_async(params)
    candidates = [each._asdict() if hasattr(each, "_asdict") else each for each in result["candidates"]]
    assert candidates
    assert len({each["code"] for each in candidates}) == len(candidates)
    assert all(each["score"] <= 0 for each in candidates)
    for each in candidates:
        assert each["sketch"].strip()
        ast.parse(insert(FLIGHTS, COMMENT_END, each["code"]))


async def test_code_follows_from_a_changed_sketch(client: LanguageClient, uri: str) -> None:
    open_text(client, uri)
    position = {"line": COMMENT_END.line, "character": COMMENT_END.character}
    sketch = "flights.groupby($string)[$string].median()"
    params = types.ExecuteCommandParams("cert.completeFromSketch", [uri, position, sketch])
    result = await client.workspace_execute_command_async(params)
    candidates = [each._asdict() if hasattr(each, "_asdict") else each for each in result["candidates"]]
    assert candidates
    for each in candidates:
        assert re.fullmatch(r"\nflights\.groupby\(.+\)\[.+\]\.median\(\)", each["code"])


async def test_accepted_completion_tells_why(client: LanguageClient, uri: str) -> None:
    document = open_text(client, uri)
    [item] = await inline(client, document, COMMENT_END)
    assert isinstance(item.insert_text, str)
    here = types.Range(COMMENT_END, COMMENT_END)
    change = types.TextDocumentContentChangePartial(here, item.insert_text)
    identifier = types.VersionedTextDocumentIdentifier(2, uri)
    client.text_document_did_change(types.DidChangeTextDocumentParams(identifier, [change]))
    assert item.command
    params = types.ExecuteCommandParams(item.command.command, item.command.arguments)
    assert await client.workspace_execute_command_async(params) is None
    hover = await client.text_document_hover_async(types.HoverParams(document, types.Position(5, 2)))
    assert hover
    assert isinstance(hover.contents, types.MarkupContent)
    assert "string" in hover.contents.value


async def test_markdown_above_a_cell_asks(client: LanguageClient, uri: str) -> None:
    cells = [("code", FLIGHTS.rpartition("#")[0]), ("markdown", "## average delay per carrier"), ("code", "")]
    items = [types.TextDocumentItem(f"{uri}#{i}", "python", 1, text) for i, (_, text) in enumerate(cells)]
    kinds = {"code": types.NotebookCellKind.Code, "markdown": types.NotebookCellKind.Markup}
    order = [types.NotebookCell(kinds[kind], f"{uri}#{i}") for i, (kind, _) in enumerate(cells)]
    notebook = types.NotebookDocument(uri, "jupyter-notebook", 1, order)
    client.notebook_document_did_open(types.DidOpenNotebookDocumentParams(notebook, items))
    [item] = await inline(client, types.TextDocumentIdentifier(f"{uri}#2"), types.Position(0, 0))
    assert "carrier" in str(item.insert_text)


async def test_nothing_is_offered_where_nothing_is_asked(client: LanguageClient, uri: str) -> None:
    document = open_text(client, uri)
    assert await inline(client, document, types.Position(2, 5)) == []
    other = open_text(client, uri.replace("flights", "plain"), "import os\n# list the files")
    assert await inline(client, other, types.Position(1, 16)) == []


async def test_cancelled_request_is_answered_as_cancelled(client: LanguageClient, uri: str) -> None:
    document = open_text(client, uri)
    await inline(client, document, COMMENT_END)
    context = types.InlineCompletionContext(types.InlineCompletionTriggerKind.Invoked)
    params = types.InlineCompletionParams(context, document, COMMENT_END)
    future = client.protocol.send_request(types.TEXT_DOCUMENT_INLINE_COMPLETION, params, msg_id="to-cancel")
    client.cancel_request(types.CancelParams("to-cancel"))
    with pytest.raises(JsonRpcException) as raised:
        await asyncio.wait_for(asyncio.wrap_future(future), 5)
    assert raised.value.code == types.LSPErrorCodes.RequestCancelled


async def test_status_names_the_model(client: LanguageClient, uri: str) -> None:
    await inline(client, open_text(client, uri), COMMENT_END)
    status = await client.workspace_execute_command_async(types.ExecuteCommandParams("cert.status"))
    assert status["state"] == "ready"
    assert status["model"]
