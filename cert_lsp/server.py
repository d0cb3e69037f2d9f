"""Builds the language server: which feature answers which method."""

from typing import TYPE_CHECKING

from lsprotocol import types

from cert_lsp.features.completion import completion
from cert_lsp.features.configuration import configuration_changed, folders_changed, initialize, initialized
from cert_lsp.features.feedback import ACCEPTED, CLEAR_FEEDBACK, accepted, clear_feedback
from cert_lsp.features.hover import hover
from cert_lsp.features.inline_completion import inline_completion
from cert_lsp.features.read_ahead import read_ahead
from cert_lsp.features.service import PAUSE, RELOAD, RESUME, pause, reload_model, resume
from cert_lsp.features.sketch import COMPLETE_FROM_SKETCH, SHOW_SKETCH, complete_from_sketch, show_sketch
from cert_lsp.features.status import STATUS, STATUS_REQUEST, answer_status, status
from cert_lsp.loading import Models
from cert_lsp.protocol import CertServer
from cert_lsp.settings import Settings

if TYPE_CHECKING:
    from cert_lsp.engine.pipeline import Engine


def open_engine(settings: Settings) -> "Engine":
    """Load the model bundle that the settings name.

    Raises:
        BundleError: The bundle is missing, damaged or of another version.
        RuntimeUnavailableError: ONNX Runtime is missing or cannot load it.
    """
    from cert_lsp.engine.pipeline import Engine  # late: ONNX Runtime and NumPy take longer than the handshake

    return Engine.open(settings.model, threads=settings.threads, provider=settings.provider)


def build_server(defaults: Settings | None = None, models: Models | None = None) -> CertServer:
    """Make a server for one connection; nothing is loaded yet.

    Args:
        defaults: Settings that hold where the client sets nothing.
        models: The models in service, to share them between connections; else this one has its own.
    """
    server = CertServer(models or Models(open_engine), defaults or Settings())
    server.feature(types.INITIALIZE)(initialize)
    server.feature(types.INITIALIZED)(initialized)
    server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)(configuration_changed)
    server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)(folders_changed)
    # Without options the capability would not be advertised.
    server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())(inline_completion)
    server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=["."]))(completion)
    server.feature(types.TEXT_DOCUMENT_HOVER)(hover)
    server.feature(types.TEXT_DOCUMENT_DID_CHANGE)(read_ahead)
    server.command(ACCEPTED)(accepted)
    server.command(CLEAR_FEEDBACK)(clear_feedback)
    server.command(SHOW_SKETCH)(show_sketch)
    server.command(COMPLETE_FROM_SKETCH)(complete_from_sketch)
    server.feature(STATUS_REQUEST)(answer_status)
    server.command(STATUS)(status)
    server.command(PAUSE)(pause)
    server.command(RESUME)(resume)
    server.command(RELOAD)(reload_model)
    return server
