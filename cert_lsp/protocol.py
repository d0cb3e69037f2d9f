"""The server's side of JSON-RPC where the protocol asks for more than pygls gives.

What differs from pygls 2.1, and why:

* Text is kept by our `Session`: pygls splits lines at characters that are no line ends in the protocol.
* A request that cannot be read is answered with an error. pygls shows a message to the user and leaves it unanswered.
* What is only newer than this server is no error: a client may say more than the protocol had words for.
* Requests before ``initialize`` and after ``shutdown`` are answered with the specified errors.
* A cancelled command stops its work; pygls cancels the answer alone.
* ``exit`` ends this connection with a code and leaves the process to its owner.

Errors are logged by type and place, never by message or parameters: those can hold the user's text.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import traceback
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInternalError, JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, default_converter, lsp_method

from cert_lsp import __version__
from cert_lsp.loading import Models
from cert_lsp.scheduler import Scheduler
from cert_lsp.session import Session
from cert_lsp.settings import Settings

logger = logging.getLogger(__name__)

Command = Callable[[list[object]], Awaitable[object]]
"""What answers a command, once pygls has bound it to its server."""

Feature = Callable[[types.DidChangeTextDocumentParams], Coroutine[Any, Any, None]]
"""What follows a change, once pygls has bound it to its server."""

_NOTEBOOKS = types.NotebookDocumentSyncOptions(
    [
        types.NotebookDocumentFilterWithCells(
            cells=[types.NotebookCellLanguage("python"), types.NotebookCellLanguage("markdown")], notebook="*"
        )
    ]
)


@dataclass(frozen=True)
class Unreadable:
    """A message that is no message of the protocol, and what is known of it."""

    id: str | int | None
    is_request: bool


def _converter() -> Any:
    """Make pygls' converter lenient: an enumeration's value that is not known is kept as it came."""
    converter = default_converter()
    for each in vars(types).values():
        if isinstance(each, type) and issubclass(each, Enum):
            converter.register_structure_hook(each, _known_or_as_it_is)
    return converter


def _known_or_as_it_is(value: Any, cls: type[Enum]) -> Any:
    try:
        return cls(value)
    except ValueError:
        return value


class CertProtocol(LanguageServerProtocol):
    """JSON-RPC and the document life cycle of one connection."""

    _server: CertServer  # pyright: ignore[reportIncompatibleVariableOverride]

    def structure_message(self, data: dict[str, Any]) -> Any:
        """Turn a JSON object into a message; one that cannot be turned becomes `Unreadable`."""
        if "jsonrpc" in data and "method" in data and data.get("params") is None:
            # What has no content may be left out; `initialized` has an object that is empty.
            data["params"] = {} if data["method"] == types.INITIALIZED else None
        try:
            return super().structure_message(data)
        except JsonRpcException:
            msg_id = data.get("id")
            known = isinstance(msg_id, str | int) and not isinstance(msg_id, bool)
            return Unreadable(msg_id if known else None, is_request="id" in data and "method" in data)

    def handle_message(self, message: Any) -> None:
        """Answer or dispatch one message; every request gets exactly one response."""
        method = getattr(message, "method", None)
        is_request = method is not None and hasattr(message, "id")
        if isinstance(message, Unreadable):
            if message.is_request:
                self._refuse(message.id, types.ErrorCodes.InvalidParams, "the parameters are not those of the method")
            logger.warning("a message that is not valid was left out")
        elif getattr(message, "jsonrpc", None) != self.VERSION:
            self._refuse(getattr(message, "id", None), types.ErrorCodes.InvalidRequest, "not a JSON-RPC 2.0 message")
        elif is_request and self._shutdown:
            self._refuse(message.id, types.ErrorCodes.InvalidRequest, "the server is shutting down")
        elif self._workspace is None and method not in (None, types.INITIALIZE, types.EXIT):
            if is_request:
                self._refuse(message.id, types.ErrorCodes.ServerNotInitialized, "send initialize first")
        elif self._workspace is not None and method == types.INITIALIZE:
            # All pages of JupyterLab share one process, and each says so anew: what was agreed with the first holds.
            self._send_response(message.id, types.InitializeResult(self.server_capabilities, self.server_info))
        else:
            super().handle_message(message)

    def refuse_garbage(self) -> None:
        """Answer a body that is not JSON."""
        self._refuse(None, types.ErrorCodes.ParseError, "the message is not JSON")

    def _refuse(self, msg_id: str | int | None, code: int, reason: str) -> None:
        # Written by hand: the library's serializer leaves a null id out, which JSON-RPC demands.
        error = {"code": int(code), "message": reason}
        self._send_data({"jsonrpc": self.VERSION, "id": msg_id, "error": error})

    def _handle_cancel_notification(self, msg_id: str | int) -> None:
        future = self._request_futures.pop(msg_id, None)
        if future is not None:  # else the answer and the cancellation crossed on their way
            future.cancel()

    @lsp_method(types.EXIT)
    def lsp_exit(self, *_: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """End the connection; the code is 1 without a ``shutdown`` before."""
        self._server.stop(0 if self._shutdown else 1)

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, params: types.DidOpenTextDocumentParams
    ) -> None:
        """Take the document into the session."""
        self._server.session.open(params.text_document)

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, params: types.DidChangeTextDocumentParams
    ) -> None:
        """Apply the changes to the session's document, then do what a feature does about them."""
        self._server.session.change(params)
        features = cast("dict[str, Feature]", self.fm.features)  # pyright: ignore[reportUnknownMemberType]
        if feature := features.get(types.TEXT_DOCUMENT_DID_CHANGE):
            self._server.attend(feature(params))  # pygls would keep something of each change for good

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, params: types.DidCloseTextDocumentParams
    ) -> None:
        """Forget the document."""
        self._server.session.close(params.text_document.uri)

    @lsp_method(types.NOTEBOOK_DOCUMENT_DID_OPEN)
    def lsp_notebook_document__did_open(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, params: types.DidOpenNotebookDocumentParams
    ) -> None:
        """Take the notebook into the session."""
        self._server.session.open_notebook(params)

    @lsp_method(types.NOTEBOOK_DOCUMENT_DID_CHANGE)
    def lsp_notebook_document__did_change(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, params: types.DidChangeNotebookDocumentParams
    ) -> None:
        """Apply the changes to the session's notebook."""
        self._server.session.change_notebook(params)

    @lsp_method(types.NOTEBOOK_DOCUMENT_DID_CLOSE)
    def lsp_notebook_document__did_close(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, params: types.DidCloseNotebookDocumentParams
    ) -> None:
        """Forget the notebook."""
        self._server.session.close_notebook(params)

    @lsp_method(types.WORKSPACE_EXECUTE_COMMAND)
    async def lsp_workspace__execute_command(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, params: types.ExecuteCommandParams
    ) -> object:
        """Await a command, which takes its arguments as one list."""
        commands = cast("dict[str, Command]", self.fm.commands)  # pyright: ignore[reportUnknownMemberType]
        command = commands.get(params.command)
        if command is None:
            raise JsonRpcInvalidParams(f"There is no command {params.command[:80]!r}.")
        return await command(list(params.arguments or []))


class CertServer(LanguageServer):
    """One client's server: protocol, session and scheduler together.

    Args:
        models: The models in service, which other connections may use as well.
        defaults: Settings that hold where the client sets nothing.
    """

    protocol: CertProtocol  # pyright: ignore[reportIncompatibleVariableOverride]

    def __init__(self, models: Models, defaults: Settings) -> None:
        super().__init__(  # pyright: ignore[reportUnknownMemberType]
            "cert-lsp",
            __version__,
            notebook_document_sync=_NOTEBOOKS,
            protocol_cls=CertProtocol,
            converter_factory=_converter,
        )
        self.models = models
        self.session = Session(initial=defaults, settings=defaults)
        self.scheduler = Scheduler()
        self.stopped = threading.Event()
        self.exit_code = 1
        self._attended: set[asyncio.Task[None]] = set()

    def attend(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` beside the message loop until the server stops."""
        task = asyncio.get_running_loop().create_task(work)
        self._attended.add(task)  # the loop itself holds tasks but weakly
        task.add_done_callback(self._attended.discard)
        if self.stopped.is_set():
            task.cancel()

    def stop(self, exit_code: int) -> None:
        """Let the message loop end after the current message, and the model go."""
        self.exit_code = exit_code
        for task in list(self._attended):
            task.cancel()
        self.scheduler.close()
        for task in self.session.watches:
            task.cancel()
        if self.session.model:
            self.models.release(self.session.model)
            self.session.model = None
        self.stopped.set()

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Log where an error came from; what the client must know, its response says."""
        if source is JsonRpcException:  # the message loop could not read a message at all
            self.protocol.refuse_garbage()
            return
        if isinstance(error, JsonRpcInternalError):  # made by pygls from a handler's error, which it holds as text
            places = cast("dict[str, list[str]]", error.data)["traceback"]
            self._log_fault(error.message.partition(":")[0], places)
        elif not isinstance(error, JsonRpcException):
            self.log_fault(error)

    def log_fault(self, error: Exception) -> None:
        """Log an error's type and where it came from; its message could hold the user's text."""
        self._log_fault(type(error).__name__, traceback.format_tb(error.__traceback__))

    def _log_fault(self, kind: str, places: list[str]) -> None:
        said = f"{kind}\n{''.join(places)}"
        logger.error(said)
        self.window_log_message(
            types.LogMessageParams(types.MessageType.Error, f"CERT-LSP: a fault of the server. {said}")
        )
