"""``textDocument/completion``: the same candidates as a list, for editors without ghost text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lsprotocol import types

from cert_lsp.features.candidates import candidates_at
from cert_lsp.positions import units
from cert_lsp.protocol import CertServer
from cert_lsp.session import Snapshot

if TYPE_CHECKING:
    from cert_lsp.engine.pipeline import Candidate

_LABEL_WIDTH = 80
_WORD = re.compile(r"\w*\Z")


async def completion(ls: CertServer, params: types.CompletionParams) -> types.CompletionList:
    """List candidates where an intent is stated; elsewhere the list is empty and other servers have the field."""
    snapshot = ls.session.take_snapshot(params.text_document.uri, params.position)
    found = await candidates_at(ls, "popup", snapshot, ls.session.settings.candidates)
    items = [_item(snapshot, each, rank) for rank, each in enumerate(found)] if snapshot else []
    # Incomplete: another character can mean another answer, so the client asks again instead of filtering.
    return types.CompletionList(is_incomplete=True, items=items)


def _item(snapshot: Snapshot, candidate: Candidate, rank: int) -> types.CompletionItem:
    """One row of the list.

    The edit covers the word before the cursor, because most clients filter by that word, also inside a comment.
    """
    before = snapshot.text[snapshot.text.rfind("\n", 0, snapshot.offset) + 1 : snapshot.offset]
    found = _WORD.search(before)
    word = found[0] if found else ""
    at = snapshot.position
    start = types.Position(at.line, at.character - units(word, snapshot.encoding))
    first, *rest = candidate.code.strip().splitlines() or [""]
    goes_on = not candidate.code[:1].isspace()
    label = f"{word}{first}" if goes_on else first
    if rest or len(label) > _LABEL_WIDTH:
        label = f"{label[:_LABEL_WIDTH]} …"
    return types.CompletionItem(
        label=label,
        kind=types.CompletionItemKind.Snippet,
        detail="CERT",
        documentation=types.MarkupContent(types.MarkupKind.Markdown, _documentation(candidate)),
        preselect=rank == 0,
        sort_text=f"{rank:04}",
        filter_text=f"{word}{first}",
        insert_text_format=types.InsertTextFormat.PlainText,
        insert_text_mode=types.InsertTextMode.AsIs,
        text_edit=types.TextEdit(types.Range(start, at), f"{word}{candidate.code}"),
    )


def _documentation(candidate: Candidate) -> str:
    """The whole code and its sketch, as Markdown."""
    blocks = [f"```python\n{candidate.code.strip()}\n```"]
    if candidate.sketch.strip():
        blocks.append(f"Sketch\n```text\n{candidate.sketch.strip()}\n```")
    return "\n\n".join(blocks)
