"""``textDocument/hover`` on a completion that was accepted: its sketch, and why it was chosen."""

import math

from lsprotocol import types

from cert_lsp.offers import Proposal
from cert_lsp.protocol import CertServer


async def hover(ls: CertServer, params: types.HoverParams) -> types.Hover | None:
    """Explain the accepted completion at a place; other places are other servers' business."""
    snapshot = ls.session.take_snapshot(params.text_document.uri, params.position)
    found = snapshot and ls.session.offers.accepted_at(snapshot.uri, snapshot.text, snapshot.offset)
    if not found:
        return None
    text_document = ls.client_capabilities.text_document
    able = text_document.hover if text_document else None
    formats = (able and able.content_format) or ()
    sketch, reasons = found.proposal.candidate.sketch.strip(), _reasons(found.proposal)
    if types.MarkupKind.Markdown in formats:
        shown = f"```python\n{sketch}\n```\n\n" if sketch else ""
        return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, f"**CERT** sketch\n\n{shown}{reasons}"))
    shown = f"CERT sketch: {sketch}\n" if sketch else ""
    plain = shown + reasons
    return types.Hover(types.MarkupContent(types.MarkupKind.PlainText, plain) if formats else plain)


def _reasons(proposal: Proposal) -> str:
    """Say what spoke for a candidate."""
    offer, candidate = proposal.offer, proposal.candidate
    others = len(offer.candidates) - 1
    places = ["first", "second", "third"]
    place = places[proposal.rank] if proposal.rank < len(places) else f"number {proposal.rank + 1}"
    reasons = [
        f"Written by {offer.model} for “{offer.context.intent[:200]}”"
        if offer.context
        else f"Written by {offer.model}",
        f"ranked {place} of {others + 1} answers" if others else "the likeliest answer",
        f"on average the model gave each of its tokens a probability of {math.exp(candidate.score):.0%}",
        "names only pandas and NumPy API that exists"
        if candidate.api_exists
        else "names API that pandas and NumPy may not have",
    ]
    return f"{'; '.join(reasons)}."
