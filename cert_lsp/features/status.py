"""The command ``cert.status``: is the model ready, and which one is it.

Result: ``{"state": "loading" | "ready" | "failed", "version", "model", "message"}``.
"""

from cert_lsp import __version__
from cert_lsp.protocol import CertServer

STATUS = "cert.status"


async def status(ls: CertServer, arguments: list[object]) -> dict[str, object]:
    """Answer the command; it takes no arguments and waits for nothing."""
    session = ls.session
    state = "ready" if session.engine else "failed" if session.failure else "loading"
    return {
        "state": state,
        "version": __version__,
        "model": session.engine.manifest.name if session.engine else None,
        "message": str(session.failure) if session.failure else None,
    }
