"""Sketches as documents: ``cert.showSketch`` and ``cert.completeFromSketch`` (docs/protocol.md).

A sketch comes and goes with a dollar sign before each placeholder, so that it can be edited without being mistaken.
Both commands answer ``{"candidates": [{"id", "code", "sketch", "score"}]}``, best first; `score` is the mean
log-probability a token, and `id` is for ``cert.accepted``, once the client has inserted the code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams

from cert_lsp.errors import CertError
from cert_lsp.features.candidates import context_at, fit
from cert_lsp.features.feedback import note_shown
from cert_lsp.manners import style_of
from cert_lsp.offers import Offer
from cert_lsp.protocol import CertServer
from cert_lsp.scheduler import Superseded

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from cert_lsp.engine.context import Context
    from cert_lsp.engine.pipeline import Candidate, Engine
    from cert_lsp.offers import Proposal

SHOW_SKETCH = "cert.showSketch"
COMPLETE_FROM_SKETCH = "cert.completeFromSketch"

_MOST = 10


async def show_sketch(ls: CertServer, arguments: list[object]) -> dict[str, object]:
    """Say which sketches the intent at the cursor suggests, and where each leads.

    Raises:
        JsonRpcInvalidParams: The arguments are not a document, a position and perhaps a count.
        JsonRpcException: There is no model, or it cannot read this (request failed), or a newer request overtook this
            one (content modified).
    """
    match arguments:
        case [str(uri), position]:
            count = None
        case [str(uri), position, int(count)] if 1 <= count <= _MOST:
            pass
        case _:
            raise JsonRpcInvalidParams(f'{SHOW_SKETCH} takes [uri, {{"line", "character"}}, count from 1 to {_MOST}?].')
    count = count or ls.session.settings_for(uri).candidates

    def sketches(engine: Engine, context: Context, cancel: threading.Event) -> list[Candidate]:
        return engine.complete(context, candidates=count, cancel=cancel)

    return await _answer(ls, SHOW_SKETCH, uri, position, sketches)


async def complete_from_sketch(ls: CertServer, arguments: list[object]) -> dict[str, object]:
    """Write the code that follows from a sketch, which the user may have changed.

    Raises:
        JsonRpcInvalidParams: The arguments are not a document, a position and a text.
        JsonRpcException: As `show_sketch`.
    """
    match arguments:
        case [str(uri), position, str(sketch)]:
            pass
        case _:
            raise JsonRpcInvalidParams(f'{COMPLETE_FROM_SKETCH} takes [uri, {{"line", "character"}}, sketch].')
    settings = ls.session.settings_for(uri)

    def codes(engine: Engine, context: Context, cancel: threading.Event) -> list[Candidate]:
        return engine.complete_from(
            context, sketch, candidates=settings.candidates, max_tokens=settings.max_tokens, cancel=cancel
        )

    return await _answer(ls, COMPLETE_FROM_SKETCH, uri, position, codes)


async def _answer(
    ls: CertServer,
    command: str,
    uri: str,
    position: object,
    ask: Callable[[Engine, Context, threading.Event], list[Candidate]],
) -> dict[str, object]:
    """Ask the model at a place; the latest request of a command and document counts."""
    session = ls.session
    snapshot = session.take_snapshot(uri, _position(command, position))
    if snapshot is None:
        raise JsonRpcInvalidParams("The document is not open. Open it in the editor first.")
    try:
        with ls.scheduler.claim((command, uri)) as job:
            await job.wait(session.configured.wait())
            if (model := session.model) is None:
                raise JsonRpcException("The server is shutting down.", types.LSPErrorCodes.RequestFailed)
            context = await context_at(ls, job, snapshot, session.settings_for(uri))
            if context is None:
                return {"candidates": []}

            def candidates() -> tuple[str, list[Candidate]]:
                if model.engine is None:
                    assert model.failure
                    raise model.failure
                return model.engine.manifest.name, ask(model.engine, context, job.cancelled)

            name, found = await job.run(model.thread, candidates)
            style = await job.run(ls.scheduler.reader, style_of, f"{context.before}\n{context.after}")
    except Superseded:
        raise JsonRpcException("A newer request took over.", types.LSPErrorCodes.ContentModified) from None
    except CertError as error:  # such as a sketch that is longer than what the model reads
        raise JsonRpcException(str(error), types.LSPErrorCodes.RequestFailed) from None
    fitted = fit(style, context, found)
    number, settings = session.offers.next_number(), session.settings_for(uri)
    offer = Offer(number, uri, snapshot.text, snapshot.offset, len(fitted), settings, name, context, fitted)
    proposals = session.offers.keep(command, offer)
    note_shown(ls, proposals)
    return {"candidates": [_candidate(each) for each in proposals]}


def _candidate(proposal: Proposal) -> dict[str, object]:
    found = proposal.candidate
    return {"id": proposal.id, "code": found.code, "sketch": found.template, "score": found.score}


def _position(command: str, value: object) -> types.Position:
    """Read a position."""
    try:
        fields = cast("dict[str, int]", value)
        return types.Position(line=fields["line"], character=fields["character"])
    except (ValueError, TypeError, KeyError):
        raise JsonRpcInvalidParams(f'{command} takes a position {{"line", "character"}}.') from None
