"""``textDocument/didChange``: who pauses in a comment finds it read when the completion is asked for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lsprotocol import types

from cert_lsp.features.candidates import AHEAD, context_at
from cert_lsp.positions import units
from cert_lsp.scheduler import Superseded

if TYPE_CHECKING:
    from cert_lsp.protocol import CertServer

_PAUSE = 0.05
"""Seconds without a change and without a request: editors that ask at every key do so at once."""


async def read_ahead(ls: CertServer, params: types.DidChangeTextDocumentParams) -> None:
    """Let the model read the prompt of the intent that is being typed, until the next change or request."""
    session, uri = ls.session, params.text_document.uri
    cursor = _cursor(params.content_changes[-1], session.encoding) if params.content_changes else None
    if cursor is None or session.paused or session.model is None or session.model.engine is None:
        return
    model, settings = session.model, session.settings_for(uri)
    try:
        with ls.scheduler.claim((AHEAD, uri)) as job:
            await job.wait(asyncio.sleep(_PAUSE))
            if (snapshot := session.take_snapshot(uri, cursor)) is None:
                return
            context = await context_at(ls, job, snapshot, settings)
            if context is None or not context.lead:  # the cursor is not in an intent
                return

            def read() -> None:
                if model.engine:
                    mode = "sketch" if settings.sketch else "nosketch"
                    model.engine.read_ahead(context, mode=mode, cancel=job.cancelled)

            await job.run(model.thread, read)
    except Superseded:
        return
    except Exception as error:
        ls.log_fault(error)


def _cursor(change: types.TextDocumentContentChangeEvent, encoding: str) -> types.Position | None:
    """Where a change ends, which is where the cursor mostly stands; None if the client does not tell places."""
    if isinstance(change, types.TextDocumentContentChangeWholeDocument):
        return None
    *above, last = change.text.split("\n")
    start = change.range.start
    column = units(last, encoding) + (0 if above else start.character)
    return types.Position(start.line + len(above), column)
