"""What became of an offer: ``cert.accepted``, the log of it for those who want one, and ``cert.clearFeedback``.

Acceptance is remembered in any case, for ``textDocument/hover``; it is written down only where `feedback` is set.
"""

import asyncio
import logging
from collections.abc import Sequence
from uuid import uuid4

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams

from cert_lsp.feedback import FeedbackLog
from cert_lsp.offers import Accepted, Proposal
from cert_lsp.protocol import CertServer

logger = logging.getLogger(__name__)

ACCEPTED = "cert.accepted"
CLEAR_FEEDBACK = "cert.clearFeedback"

KEPT_SECONDS = 30.0

_RUN = uuid4().hex[:12]
"""Tells this process's offers from those of others in the log."""


def accepting(proposal: Proposal) -> types.Command:
    """The command that an item carries: the client runs it once the text is inserted."""
    return types.Command("Accepted", ACCEPTED, arguments=[proposal.id])


def note_shown(ls: CertServer, proposals: Sequence[Proposal]) -> None:
    """Write down what is shown for the first time."""
    for each in proposals:
        offer, candidate = each.offer, each.candidate
        if offer.settings.feedback and offer.context and ls.session.offers.is_new(each):
            _write(
                ls,
                "shown",
                each,
                head=offer.context.head,
                code=offer.context.typed + candidate.code.removeprefix(offer.context.lead),
                sketch=candidate.template,
                score=round(candidate.score, 4),
                rank=each.rank,
                model=offer.model,
            )


async def accepted(ls: CertServer, arguments: list[object]) -> None:
    """Remember that the user accepted an item.

    Raises:
        JsonRpcInvalidParams: The argument is not that of an item's command.
    """
    match arguments:
        case [str(proposal_id)]:
            pass
        case _:
            raise JsonRpcInvalidParams(f"{ACCEPTED} takes [id].")
    found = ls.session.offers.accept(proposal_id)
    if found and found.proposal.offer.settings.feedback:
        _write(ls, "accepted", found.proposal)
        task = asyncio.create_task(_see_whether_kept(ls, found))
        ls.session.watches.add(task)
        task.add_done_callback(ls.session.watches.discard)


async def clear_feedback(ls: CertServer, arguments: list[object]) -> dict[str, object]:
    """Delete the log.

    Raises:
        JsonRpcException: It cannot be deleted (request failed).
    """
    try:
        return {"deleted": FeedbackLog().clear()}
    except OSError as error:
        raise JsonRpcException(
            f"The log cannot be deleted ({error}); it is in {FeedbackLog().file}.", types.LSPErrorCodes.RequestFailed
        ) from None


async def _see_whether_kept(ls: CertServer, found: Accepted) -> None:
    await asyncio.sleep(KEPT_SECONDS)
    snapshot = ls.session.take_snapshot(found.proposal.offer.uri, types.Position(0, 0))
    if snapshot:  # of a closed document nothing is known
        _write(ls, "kept", found.proposal, kept=found.is_in(snapshot.text))


def _write(ls: CertServer, event: str, proposal: Proposal, **details: object) -> None:
    try:
        FeedbackLog().write(event, f"{_RUN}.{ls.session.number}.{proposal.id}", **details)
    except OSError as error:
        logger.warning("the feedback could not be written: %s", error.strerror)
