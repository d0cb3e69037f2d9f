"""A session with the server that the wheel installs; ``CERT_LSP_MODEL`` names another bundle than the embedded one."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

FLIGHTS = """\
import pandas as pd

flights = pd.DataFrame({"carrier": ["AA", "UA"], "delay": [12.5, 3.0], "distance": [733, 1400]})

# average delay per carrier
"""
COMMENT_END = types.Position(4, len("# average delay per carrier"))


@pytest_asyncio.fixture
async def client(environment: Path) -> AsyncIterator[LanguageClient]:
    """An initialized client; the server has ended when the test is over."""
    command = [str(environment / "cert-lsp"), "serve", "--stdio"]
    client = await ClientServerConfig(server_command=command).start()
    assert isinstance(client, LanguageClient)
    # What the profile says that VS Code can do, and this client cannot.
    client.feature(types.CLIENT_REGISTER_CAPABILITY)(lambda params: None)
    capabilities = client_capabilities("visual-studio-code")
    assert capabilities.text_document
    capabilities.text_document.inline_completion = types.InlineCompletionClientCapabilities()
    client.result = await client.initialize_session(types.InitializeParams(capabilities=capabilities))
    yield client
    await client.shutdown_session()
    await client.stop()


@pytest.fixture
def uri(tmp_path: Path) -> str:
    return (tmp_path / "flights.py").as_uri()


def open_text(client: LanguageClient, uri: str, text: str = FLIGHTS) -> types.TextDocumentIdentifier:
    client.text_document_did_open(types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, "python", 1, text)))
    return types.TextDocumentIdentifier(uri)


async def inline(
    client: LanguageClient,
    document: types.TextDocumentIdentifier,
    position: types.Position,
    kind: types.InlineCompletionTriggerKind = types.InlineCompletionTriggerKind.Automatic,
) -> list[types.InlineCompletionItem]:
    params = types.InlineCompletionParams(types.InlineCompletionContext(kind), document, position)
    result = await asyncio.wait_for(client.text_document_inline_completion_async(params), 60)
    assert isinstance(result, types.InlineCompletionList)
    return list(result.items)
