"""``textDocument/inlineCompletion``: ghost text."""

from lsprotocol import types

from cert_lsp.features.candidates import candidates_at
from cert_lsp.features.feedback import accepting, note_shown
from cert_lsp.protocol import CertServer


async def inline_completion(ls: CertServer, params: types.InlineCompletionParams) -> types.InlineCompletionList:
    """Offer the best candidate while typing, one statement at a time; several, whole, on an explicit request."""
    snapshot = ls.session.take_snapshot(params.text_document.uri, params.position)
    automatic = params.context.trigger_kind is types.InlineCompletionTriggerKind.Automatic
    found = await candidates_at(ls, "inline", snapshot, several=not automatic)
    if snapshot is None:
        return types.InlineCompletionList(items=[])
    note_shown(ls, found)
    # Neovim needs a range, and every client a single-line one.
    here = types.Range(snapshot.position, snapshot.position)
    return types.InlineCompletionList(
        items=[
            types.InlineCompletionItem(
                insert_text=each.statement if automatic else each.code, range=here, command=accepting(each)
            )
            for each in found
        ]
    )
