"""What was offered last in each document: who types along with an offer gets the rest of it without the model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cert_lsp.engine.pipeline import Candidate
    from cert_lsp.settings import Settings


@dataclass(frozen=True, slots=True)
class Offer:
    """Candidates, and what they were made for.

    Attributes:
        text: The document.
        offset: The cursor: code points before it in `text`.
        count: How many candidates were asked for.
        settings: The settings that held.
        candidates: What was offered; may be empty.
    """

    text: str
    offset: int
    count: int
    settings: Settings
    candidates: Sequence[Candidate]

    def rest(self, text: str, offset: int, count: int, settings: Settings) -> list[Candidate]:
        """Return what is left of the candidates in a document that differs by typed text alone.

        Empty where the best candidate says something else, where nothing of it is left, or where more candidates or
        other settings are asked for.
        """
        typed = text[self.offset : offset]
        if count > self.count or settings != self.settings or offset < self.offset:
            return []
        if text != self.text[: self.offset] + typed + self.text[self.offset :]:
            return []
        if not self.candidates or not self.candidates[0].code.startswith(typed):
            return []
        left = [
            replace(each, code=each.code[len(typed) :])
            for each in self.candidates
            if each.code.startswith(typed) and each.code != typed
        ]
        return left[:count] if self.candidates[0].code != typed else []
