"""``initialize`` and ``initialized``: settings, then the model in the background, with progress."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import uuid4

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from cert_lsp.errors import CertError, RuntimeUnavailableError
from cert_lsp.protocol import CertServer
from cert_lsp.settings import parse_settings

logger = logging.getLogger(__name__)

_PATIENCE = 5.0
"""Seconds that a client may take to make a progress bar."""


def initialize(ls: CertServer, params: types.InitializeParams) -> None:
    """Take the settings and the position encoding; the reply goes out at once."""
    session = ls.session
    session.encoding = str(getattr(ls.workspace.position_encoding, "value", ls.workspace.position_encoding))
    session.settings, session.problems = parse_settings(params.initialization_options, session.settings)


async def initialized(ls: CertServer, params: types.InitializedParams) -> None:
    """Load the model. Requests that come meanwhile queue behind it in the model's thread."""
    loading = asyncio.get_running_loop().run_in_executor(ls.scheduler.model, _load, ls)
    if ls.session.problems:
        _show(ls, types.MessageType.Warning, " ".join(ls.session.problems))
    async with _progress(ls, "Loading the completion model"):
        await loading
    if ls.session.failure:
        _show(ls, types.MessageType.Error, str(ls.session.failure))


def _load(ls: CertServer) -> None:
    """Open the engine, in the model's thread; a failure is kept for the user, once."""
    session = ls.session
    try:
        session.engine = ls.open_engine(session.settings)
    except CertError as error:
        session.failure = error
    except Exception as error:
        logger.exception("the model could not be loaded")
        session.failure = RuntimeUnavailableError(
            f"The model could not be loaded ({type(error).__name__}: {error})",
            "there will be no completions",
            "run `cert-lsp doctor` to see what is wrong",
        )


@asynccontextmanager
async def _progress(ls: CertServer, title: str) -> AsyncGenerator[None]:
    """Show a progress bar without percentage, if the client has any."""
    window = ls.client_capabilities.window
    token = str(uuid4())
    shown = bool(window and window.work_done_progress)
    if shown:
        try:
            create = types.WorkDoneProgressCreateParams(token)
            await asyncio.wait_for(ls.window_work_done_progress_create_async(create), _PATIENCE)
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


def _show(ls: CertServer, kind: types.MessageType, text: str) -> None:
    ls.window_show_message(types.ShowMessageParams(kind, f"CERT-LSP: {text}"))
