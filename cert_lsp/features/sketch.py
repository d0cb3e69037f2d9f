"""The command ``cert.showSketch``: which sketches the intent at the cursor suggests, and where each leads.

Arguments: ``[uri, position]``. Result: ``{"candidates": [{"code", "sketch", "score"}]}``, best first, `score` the mean
log-probability a token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams

from cert_lsp.features.candidates import read_context
from cert_lsp.protocol import CertServer
from cert_lsp.scheduler import Superseded

if TYPE_CHECKING:
    from cert_lsp.engine.pipeline import Candidate

SHOW_SKETCH = "cert.showSketch"


async def show_sketch(ls: CertServer, arguments: list[object]) -> dict[str, object]:
    """Answer the command.

    Raises:
        JsonRpcInvalidParams: The arguments are not a document and a position.
        JsonRpcException: There is no model (request failed), or a newer request overtook this one (content modified).
    """
    uri, position = _parse(arguments)
    session = ls.session
    snapshot = session.take_snapshot(uri, position)
    if snapshot is None:
        raise JsonRpcInvalidParams("The document is not open. Open it in the editor first.")
    try:
        with ls.scheduler.claim((SHOW_SKETCH, uri)) as job:
            await job.wait(session.configured.wait())
            if (model := session.model) is None:
                raise JsonRpcException("The server is shutting down.", types.LSPErrorCodes.RequestFailed)
            context = await job.run(ls.scheduler.reader, read_context, snapshot)
            if context is None:
                return {"candidates": []}

            def sketches() -> list[Candidate]:
                if model.engine is None:
                    raise JsonRpcException(str(model.failure), types.LSPErrorCodes.RequestFailed)
                wanted = session.settings_for(uri).candidates
                return model.engine.sketches(context, candidates=wanted, cancel=job.cancelled)

            found = await job.run(model.thread, sketches)
    except Superseded:
        raise JsonRpcException("A newer request took over.", types.LSPErrorCodes.ContentModified) from None
    return {"candidates": [{"code": each.code, "sketch": each.sketch, "score": each.score} for each in found]}


def _parse(arguments: list[object]) -> tuple[str, types.Position]:
    """Read ``[uri, position]``."""
    try:
        uri, position = arguments
        fields = cast("dict[str, int]", position)
        if isinstance(uri, str):
            return uri, types.Position(line=fields["line"], character=fields["character"])
    except (ValueError, TypeError, KeyError):
        pass
    raise JsonRpcInvalidParams(f'{SHOW_SKETCH} takes [uri, {{"line", "character"}}].')
