"""pygls' own client, as it comes and with no abilities declared: the least that an editor can be."""

import ast
import asyncio
from pathlib import Path

from lsprotocol import types
from pygls.lsp.client import LanguageClient

from tests.e2e.protocol.conftest import COMMENT_END, FLIGHTS


async def test_client_without_abilities_is_served(environment: Path, uri: str) -> None:
    client = LanguageClient("least", "1")
    await client.start_io(str(environment / "cert-lsp"), "serve")
    params = types.InitializeParams(capabilities=types.ClientCapabilities())
    result = await client.initialize_async(params)
    assert result.capabilities.completion_provider
    client.initialized(types.InitializedParams())
    client.text_document_did_open(types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, "python", 1, FLIGHTS)))
    asked = types.CompletionParams(types.TextDocumentIdentifier(uri), COMMENT_END)
    found = await asyncio.wait_for(client.text_document_completion_async(asked), 120)
    assert isinstance(found, types.CompletionList)
    assert len(found.items) > 1
    for item in found.items:
        assert isinstance(item.documentation, str)
        assert item.insert_text
        assert item.insert_text.startswith("\n")
        ast.parse(FLIGHTS.rstrip("\n") + item.insert_text)
    await client.shutdown_async(None)
    client.exit(None)
    assert client._server
    assert await asyncio.wait_for(client._server.wait(), 20) == 0
    await client.stop()
