"""The model in and out of service: loading, exchanging, and the commands to pause, resume and reload.

Pausing holds for this connection; reloading for all that share the model.
"""

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from cert_lsp.errors import CertError
from cert_lsp.features.candidates import read_neighbours_ahead
from cert_lsp.features.status import progress, show, status_of, tell_status
from cert_lsp.protocol import CertServer

PAUSE = "cert.pause"
RESUME = "cert.resume"
RELOAD = "cert.reloadModel"

_TITLE = "Loading the completion model"


async def put_in_service(ls: CertServer) -> None:
    """Bring the model that the settings name into service, unless it is there already or on its way.

    The one in service goes on until the new one is loaded, and stays if that fails.
    """
    session = ls.session
    read_neighbours_ahead(ls)
    wanted = session.settings.choice
    if session.wanted == wanted:
        return
    session.wanted = wanted
    model = ls.models.take(session.settings)
    is_first = session.model is None
    if is_first:
        session.model = model
        session.configured.set()
        tell_status(ls)
    async with progress(ls, _TITLE):
        await model.loaded()
    still_wanted = session.wanted == wanted and not ls.stopped.is_set()
    if model.failure and still_wanted:
        show(ls, types.MessageType.Error, str(model.failure))
    for refused in model.refused:
        show(ls, types.MessageType.Warning, f"{refused} Another model answers instead.")
    if not is_first:
        surplus = model
        if session.model and session.model is not model and still_wanted and not model.failure:
            surplus, session.model = session.model, model
            session.offers.clear()
        ls.models.release(surplus)
    if still_wanted:
        tell_status(ls)


async def pause(ls: CertServer, arguments: list[object]) -> dict[str, object]:
    """Offer nothing more, end what is being written."""
    ls.session.paused = True
    ls.scheduler.stop()
    tell_status(ls)
    return status_of(ls.session)


async def resume(ls: CertServer, arguments: list[object]) -> dict[str, object]:
    """Offer completions again."""
    ls.session.paused = False
    tell_status(ls)
    return status_of(ls.session)


async def reload_model(ls: CertServer, arguments: list[object]) -> dict[str, object]:
    """Load the model anew, from the same folder.

    Raises:
        JsonRpcException: It could not be loaded (request failed); the old one stays in service.
    """
    session = ls.session
    await session.configured.wait()
    model = session.model
    if model is None or model.choice != session.settings.choice:  # one that could not be loaded is tried once more
        session.wanted = None
        await put_in_service(ls)
        return status_of(session)
    try:
        async with progress(ls, _TITLE):
            await model.reload()
    except CertError as error:
        raise JsonRpcException(str(error), types.LSPErrorCodes.RequestFailed) from None
    session.offers.clear()
    tell_status(ls)
    return status_of(session)
