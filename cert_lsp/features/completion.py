"""``textDocument/completion``: the same candidates as a list, for editors without ghost text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsprotocol import types

from cert_lsp.features.candidates import candidates_at
from cert_lsp.features.feedback import accepting, note_shown
from cert_lsp.features.snippet import snippet_of
from cert_lsp.positions import units
from cert_lsp.protocol import CertServer
from cert_lsp.session import Snapshot

if TYPE_CHECKING:
    from cert_lsp.engine.pipeline import Candidate
    from cert_lsp.offers import Proposal

_LABEL_WIDTH = 80
_WORD = re.compile(r"\w*\Z")


@dataclass(frozen=True, slots=True)
class _Client:
    """What the client can do.

    Attributes:
        ghost_text: It asks for ghost text as well, which must not wait for a long list.
        preselect: It takes a first choice.
        as_is: It can leave the indentation of inserted lines alone.
        formats: What it shows beside the list, if more than a string.
        snippets: It has tab stops.
        simple: It may look at `insertText` alone. No client says so: it is one that tells nothing of items, or
            JupyterLab, with commit characters but no tab stops. Eglot takes `insertText` for what an edit undoes first.
    """

    ghost_text: bool
    preselect: bool
    as_is: bool
    formats: frozenset[types.MarkupKind]
    snippets: bool
    simple: bool

    @classmethod
    def of(cls, capabilities: types.ClientCapabilities) -> _Client:
        text = capabilities.text_document
        completion = text and text.completion
        item = completion and completion.completion_item
        modes = item and item.insert_text_mode_support
        snippets = bool(item and item.snippet_support)
        return cls(
            ghost_text=bool(text and text.inline_completion),
            preselect=bool(item and item.preselect_support),
            as_is=bool(modes and types.InsertTextMode.AsIs in modes.value_set),
            snippets=snippets,
            formats=frozenset((item and item.documentation_format) or ()),
            simple=not snippets and bool(item is None or item.commit_characters_support),
        )


async def completion(ls: CertServer, params: types.CompletionParams) -> types.CompletionList:
    """List candidates where an intent is stated; elsewhere the list is empty and other servers have the field."""
    snapshot = ls.session.take_snapshot(params.text_document.uri, params.position)
    client = _Client.of(ls.client_capabilities)
    found = await candidates_at(ls, "popup", snapshot, several=not client.ghost_text)
    note_shown(ls, found)
    items = [_item(snapshot, each, rank, client) for rank, each in enumerate(found)] if snapshot else []
    # Incomplete: another character can mean another answer, so the client asks again instead of filtering.
    return types.CompletionList(is_incomplete=True, items=items)


def _item(snapshot: Snapshot, proposal: Proposal, rank: int, client: _Client) -> types.CompletionItem:
    """One row of the list.

    The edit covers the word before the cursor, because most clients filter by that word, also inside a comment. A
    simple client puts `insertText` in the place of the token at the cursor (where a comment is one token), and filters
    by what all items begin with.
    """
    before = snapshot.text[snapshot.text.rfind("\n", 0, snapshot.offset) + 1 : snapshot.offset]
    found = _WORD.search(before)
    word = found[0] if found else ""
    at = snapshot.position
    start = types.Position(at.line, at.character - units(word, snapshot.encoding))
    candidate, code = proposal.candidate, proposal.code
    first, *rest = code.strip().splitlines() or [""]
    label = first if code[:1].isspace() else f"{word}{first}"
    if rest or len(label) > _LABEL_WIDTH:
        label = f"{label[:_LABEL_WIDTH]} …"
    begun = proposal.offer.begun + candidate.code[: proposal.typed]
    text = code
    if client.snippets:  # also without tab stops: Neovim's popup puts no plain text in that has several words
        text = snippet_of(begun, code)
        if not client.as_is:  # then clients give the lines of a snippet the indentation of the cursor's line
            indent = before[: len(before) - len(before.lstrip())]
            text = text.replace(f"\n{indent}", "\n")
    return types.CompletionItem(
        label=label,
        kind=types.CompletionItemKind.Snippet,
        detail="CERT",
        documentation=_documentation(candidate, code, client.formats),
        preselect=rank == 0 if client.preselect else None,
        sort_text=f"{rank:04}",
        filter_text=f"{word}{code if client.simple else first}",
        insert_text=(code if code.startswith("\n") else f"{word}{code}") if client.simple else None,
        insert_text_format=types.InsertTextFormat.Snippet if client.snippets else types.InsertTextFormat.PlainText,
        insert_text_mode=types.InsertTextMode.AsIs if client.as_is else None,
        text_edit=types.TextEdit(types.Range(start, at), f"{word}{text}"),
        command=accepting(proposal),
    )


def _documentation(candidate: Candidate, code: str, formats: frozenset[types.MarkupKind]) -> types.MarkupContent | str:
    """The whole code and its sketch."""
    code, sketch = code.strip(), candidate.sketch.strip()
    if types.MarkupKind.Markdown not in formats:
        plain = f"{code}\n\nSketch: {sketch}" if sketch else code
        return types.MarkupContent(types.MarkupKind.PlainText, plain) if formats else plain
    text = f"```python\n{code}\n```"
    if sketch:
        text += f"\n\nSketch\n```text\n{sketch}\n```"
    return types.MarkupContent(types.MarkupKind.Markdown, text)
