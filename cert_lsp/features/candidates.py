"""What all features ask for: the proposals at a cursor, or an empty list when there is nothing to offer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lsprotocol import types

from cert_lsp.errors import NeighboursError
from cert_lsp.features.status import show
from cert_lsp.manners import in_style, style_of
from cert_lsp.offers import Offer
from cert_lsp.scheduler import Superseded

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cert_lsp.engine.context import Context
    from cert_lsp.engine.neighbours import Neighbours
    from cert_lsp.engine.pipeline import Candidate
    from cert_lsp.manners import Style
    from cert_lsp.offers import Proposal
    from cert_lsp.protocol import CertServer
    from cert_lsp.scheduler import Job
    from cert_lsp.session import Snapshot
    from cert_lsp.settings import Settings

AHEAD = "ahead"
"""Kind of claim of what is read before anybody asks (see `read_ahead`); a request for the document ends it."""


async def candidates_at(ls: CertServer, feature: str, snapshot: Snapshot | None, *, several: bool) -> list[Proposal]:
    """Complete at a snapshot's cursor.

    A request that a newer one of the same feature and document overtakes gets the empty list: its client has moved on,
    and the protocol's "content modified" error is not meant for that.

    Args:
        ls: The server.
        feature: Names the kind of request, of which only the latest a document is worked on.
        snapshot: Document and cursor; None for a document that is not open.
        several: Whether to make as many candidates as the settings say, rather than the best alone.
    """
    session = ls.session
    if snapshot is None or session.paused:
        return []
    key = feature, snapshot.uri
    ls.scheduler.release((AHEAD, snapshot.uri))
    try:
        with ls.scheduler.claim(key) as job:
            await job.wait(session.configured.wait())
            settings, model = session.settings_for(snapshot.uri), session.model
            if model is None:  # the client has left
                return []
            count = settings.candidates if several else 1
            before = session.offers.latest(*key)
            if before and (left := before.rest(snapshot.text, snapshot.offset, count, settings)):
                return left
            context = await context_at(ls, job, snapshot, settings)
            if context is None:
                return []
            style = await job.run(ls.scheduler.reader, style_of, f"{context.before}\n{context.after}")

            def complete() -> tuple[str, list[Candidate]]:
                engine = model.engine  # looked up late: loading runs before this in the same thread
                if engine is None:
                    return "", []
                return engine.manifest.name, engine.complete(
                    context,
                    candidates=count,
                    mode="sketch" if settings.sketch else "nosketch",
                    max_tokens=settings.max_tokens,
                    cancel=job.cancelled,
                )

            name, found = await job.run(model.thread, complete)
            fitted = fit(style, context, found)
            number, (uri, text, offset) = session.offers.next_number(), (snapshot.uri, snapshot.text, snapshot.offset)
            offer = Offer(number, uri, text, offset, count, settings, name, context, fitted)
            return session.offers.keep(feature, offer)
    except Superseded:
        return []
    except Exception as error:  # a fault of ours must not pop up in an editor at every keystroke
        ls.log_fault(error)
        return []


def fit(style: Style, context: Context, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Write candidates as the buffer has them; of those that differed in style alone, the first is left."""
    fitted: dict[str, Candidate] = {}
    for each in candidates:
        code = in_style(style, context.statement + context.typed, each.code)
        fitted.setdefault(code, replace(each, code=code))
    return list(fitted.values())


async def context_at(ls: CertServer, job: Job, snapshot: Snapshot, settings: Settings) -> Context | None:
    """The engine's view of a snapshot; None where there is nothing to offer.

    The user is told once of neighbours that cannot be read; the rest goes on without them.
    """
    read = ls.scheduler.reader
    try:
        return await job.run(read, _read_context, snapshot, settings)
    except NeighboursError as error:
        if (told := str(error)) not in ls.session.told:
            ls.session.told.add(told)
            show(ls, types.MessageType.Warning, told)
        return await job.run(read, _read_context, snapshot, replace(settings, neighbours=None))


def read_neighbours_ahead(ls: CertServer) -> None:
    """Have the files of neighbours read while the model is loading, so that no request waits for that."""
    session = ls.session
    for path in {each.neighbours for each in (session.settings, *session.folders.values())}:
        if path:
            ls.scheduler.reader.submit(_neighbours_in, path)  # a fault is told where somebody asks


def _neighbours_in(path: Path) -> Neighbours:
    from cert_lsp.team import neighbours_in  # late: see server.open_engine

    return neighbours_in(path)


def _read_context(snapshot: Snapshot, settings: Settings) -> Context | None:
    """Read a snapshot, and what is known of its project and its team.

    The releases of pandas and NumPy are those that the settings name, else those of the document's project.

    Raises:
        NeighboursError: The settings name a file of neighbours that cannot be read.
    """
    from cert_lsp.engine.context import build_context  # late: see server.open_engine
    from cert_lsp.project import versions_for

    if (context := build_context(snapshot.text, snapshot.offset)) is None:
        return None
    found = versions_for(snapshot.uri)
    versions = replace(found, pandas=settings.pandas or found.pandas, numpy=settings.numpy or found.numpy)
    near = _neighbours_in(settings.neighbours).sketch_for(context) if settings.neighbours else None
    return replace(context, versions=versions, near=near)
