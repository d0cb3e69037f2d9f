"""How it is with the model, for people: ``cert/status``, ``cert/statusChanged``, ``cert.status``, and messages.

A status is ``{"state": "loading" | "ready" | "paused" | "error", "message", "model", "version"}`` (docs/protocol.md).
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import uuid4

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from cert_lsp import __version__
from cert_lsp.protocol import CertServer
from cert_lsp.session import Session

STATUS = "cert.status"
STATUS_REQUEST = "cert/status"
STATUS_CHANGED = "cert/statusChanged"

PATIENCE = 5.0
"""Seconds that a client may take to answer what the server asks."""


def status_of(session: Session) -> dict[str, object]:
    """The status of a connection."""
    model = session.model
    failure = model.failure if model else None
    engine = model.engine if model else None
    state = "error" if failure else "loading" if engine is None else "paused" if session.paused else "ready"
    return {
        "state": state,
        "message": str(failure) if failure else None,
        "model": engine.manifest.name if engine else None,
        "version": __version__,
    }


async def status(ls: CertServer, arguments: list[object]) -> dict[str, object]:
    """Answer the command; it takes no arguments and waits for nothing."""
    return status_of(ls.session)


async def answer_status(ls: CertServer, params: object) -> dict[str, object]:
    """Answer the request, which has no parameters."""
    return status_of(ls.session)


def tell_status(ls: CertServer) -> None:
    """Notify the client; one that does not know the notification has the same in its log."""
    status = status_of(ls.session)
    ls.protocol.notify(STATUS_CHANGED, status)
    kind = types.MessageType.Error if status["message"] else types.MessageType.Info
    said = status["message"] or status["model"] or "the model"
    ls.window_log_message(types.LogMessageParams(kind, f"CERT-LSP {__version__}: {status['state']} ({said})"))


def show(ls: CertServer, kind: types.MessageType, text: str) -> None:
    """Show the user a message."""
    ls.window_show_message(types.ShowMessageParams(kind, f"CERT-LSP: {text}"))


@asynccontextmanager
async def progress(ls: CertServer, title: str) -> AsyncGenerator[None]:
    """Show a progress bar without percentage, if the client has any."""
    window = ls.client_capabilities.window
    token = str(uuid4())
    shown = bool(window and window.work_done_progress)
    if shown:
        try:
            create = types.WorkDoneProgressCreateParams(token)
            await asyncio.wait_for(ls.window_work_done_progress_create_async(create), PATIENCE)
        except (JsonRpcException, TimeoutError):
            shown = False
    if not shown:
        yield
        return
    ls.work_done_progress.begin(token, types.WorkDoneProgressBegin(title=title))
    try:
        yield
    finally:
        ls.work_done_progress.end(token, types.WorkDoneProgressEnd())
