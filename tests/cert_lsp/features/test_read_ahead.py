"""A comment is read while it is typed, and a request ends that at once."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from lsprotocol import types

from cert_lsp.features.inline_completion import inline_completion
from cert_lsp.features.read_ahead import read_ahead
from cert_lsp.loading import Models
from cert_lsp.protocol import CertServer
from cert_lsp.server import build_server
from cert_lsp.settings import Settings
from tests.cert_lsp.fakes import FakeEngine

URI = "file:///flights.py"
TEXT = "import pandas as pd\n\n# average dela\n"
IN_COMMENT, BELOW = types.Position(2, 14), types.Position(3, 0)


@asynccontextmanager
async def serving(engine: FakeEngine) -> AsyncGenerator[CertServer]:
    server = build_server(models=Models(lambda _: engine))
    server.session.model = server.models.take(Settings())
    server.session.configured.set()
    await server.session.model.loaded()
    server.session.open(types.TextDocumentItem(URI, "python", 1, TEXT))
    yield server
    server.stop(0)


def typing(server: CertServer, at: types.Position, text: str) -> types.DidChangeTextDocumentParams:
    change = types.TextDocumentContentChangePartial(types.Range(at, at), text)
    params = types.DidChangeTextDocumentParams(types.VersionedTextDocumentIdentifier(2, URI), [change])
    server.session.change(params)
    return params


@pytest.mark.parametrize(
    ("at", "text", "read"),
    [
        (IN_COMMENT, "y", ["average delay"]),
        (IN_COMMENT, "y per\n# carrier", ["average delay per carrier"]),
        (BELOW, "x = 1", []),
        (types.Position(0, 19), "  # data", []),
    ],
)
def test_an_intent_is_read_while_it_is_typed(at: types.Position, text: str, read: list[str]) -> None:
    async def play() -> list[str]:
        engine = FakeEngine()
        async with serving(engine) as server:
            await read_ahead(server, typing(server, at, text))
        return engine.ahead

    assert asyncio.run(play()) == read


def test_nothing_is_read_while_paused_or_without_a_place() -> None:
    async def play() -> list[str]:
        engine = FakeEngine()
        async with serving(engine) as server:
            whole = types.TextDocumentContentChangeWholeDocument(TEXT)
            identifier = types.VersionedTextDocumentIdentifier(3, URI)
            await read_ahead(server, types.DidChangeTextDocumentParams(identifier, [whole]))
            server.session.paused = True
            await read_ahead(server, typing(server, IN_COMMENT, "y"))
        return engine.ahead

    assert asyncio.run(play()) == []


def test_a_request_ends_it_and_is_answered() -> None:
    async def play() -> tuple[FakeEngine, types.InlineCompletionList]:
        engine = FakeEngine(seconds=30)
        async with serving(engine) as server:
            reading = asyncio.create_task(read_ahead(server, typing(server, IN_COMMENT, "y")))
            while not engine.ahead:
                await asyncio.sleep(0)
            engine.steps = 0
            context = types.InlineCompletionContext(types.InlineCompletionTriggerKind.Automatic)
            where = types.TextDocumentIdentifier(URI)
            answer = await inline_completion(
                server, types.InlineCompletionParams(context, where, types.Position(2, 15))
            )
            await reading
        return engine, answer

    engine, answer = asyncio.run(play())
    assert (engine.cancelled, engine.begun) == (1, 1)
    assert answer.items


def test_the_next_change_takes_its_place() -> None:
    async def play() -> list[str]:
        engine = FakeEngine()
        async with serving(engine) as server:
            first = asyncio.create_task(read_ahead(server, typing(server, IN_COMMENT, "y")))
            await asyncio.sleep(0)
            await read_ahead(server, typing(server, types.Position(2, 15), "s"))
            await first
        return engine.ahead

    assert asyncio.run(play()) == ["average delays"]
