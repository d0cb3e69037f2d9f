"""What was offered: who types along with an offer gets the rest of it without the model, who accepts it can ask why."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cert_lsp.manners import end_of_statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cert_lsp.engine.context import Context
    from cert_lsp.engine.pipeline import Candidate
    from cert_lsp.settings import Settings

_KEPT = 100
"""Offers of which acceptance is heard; and accepted completions of which a document knows why."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Candidates, and what they were made for.

    Attributes:
        number: Tells it from the others of its connection.
        uri: The document.
        text: The document's text, with what a cell is read with.
        offset: The cursor: code points before it in `text`.
        count: How many candidates were asked for.
        settings: The settings that held.
        model: The name of the model.
        context: What was asked for.
        candidates: What was offered; may be empty.
    """

    number: int
    uri: str
    text: str
    offset: int
    count: int
    settings: Settings
    model: str
    context: Context | None
    candidates: Sequence[Candidate]

    @property
    def begun(self) -> str:
        """The half-written statement, or the indentation, that the candidates go on with."""
        return self.context.statement + self.context.typed if self.context else ""

    def rest(self, text: str, offset: int, count: int, settings: Settings) -> list[Proposal]:
        """Return what is left of the candidates in a document that differs by typed text alone.

        Empty where the best candidate says something else, where nothing of it is left, or where more candidates or
        other settings are asked for.
        """
        typed = text[self.offset : offset]
        if count > self.count or settings != self.settings or offset < self.offset:
            return []
        if text != self.text[: self.offset] + typed + self.text[self.offset :]:
            return []
        if not self.candidates or not self.candidates[0].code.startswith(typed) or self.candidates[0].code == typed:
            return []
        return [
            Proposal(self, rank, len(typed))
            for rank, each in enumerate(self.candidates)
            if each.code.startswith(typed) and each.code != typed
        ][:count]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A candidate of an offer, as far as it is not typed yet.

    Attributes:
        offer: The offer.
        rank: Its place among the offer's candidates, from 0.
        typed: How much of its code is typed.
    """

    offer: Offer
    rank: int
    typed: int = 0

    @property
    def id(self) -> str:
        """Tells it from the others of its connection."""
        return f"{self.offer.number}.{self.rank}"

    @property
    def candidate(self) -> Candidate:
        """The whole candidate."""
        return self.offer.candidates[self.rank]

    @property
    def code(self) -> str:
        """What is left to insert."""
        return self.candidate.code[self.typed :]

    @property
    def statement(self) -> str:
        """What is left to insert of its first statement that is not typed yet."""
        code = self.candidate.code
        return code[self.typed : end_of_statement(self.offer.begun, code, self.typed)]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A completion that the user accepted.

    Attributes:
        proposal: What was accepted.
        text: By what it is found in the document: the line of the cursor and the code's first statement.
        whole: That line and all of the code.
    """

    proposal: Proposal
    text: str
    whole: str

    def is_in(self, text: str) -> bool:
        """Say whether a document still has it, unchanged."""
        return self.text in text

    def holds(self, text: str, offset: int) -> bool:
        """Say whether it stands at an offset of a document, unchanged."""
        at = text.find(self.text, max(0, offset - len(self.whole)))
        length = len(self.whole if text.startswith(self.whole, at) else self.text)
        return 0 <= at <= offset <= at + length


class Memory:
    """The offers and acceptances of one connection; the oldest are forgotten."""

    def __init__(self) -> None:
        self._count = 0
        self._latest: dict[tuple[str, str], Offer] = {}
        self._proposals: OrderedDict[str, Proposal] = OrderedDict()
        self._accepted: dict[str, list[Accepted]] = {}
        self._seen: set[str] = set()

    def next_number(self) -> int:
        """A number that no offer has yet."""
        self._count += 1
        return self._count

    def keep(self, feature: str, offer: Offer) -> list[Proposal]:
        """Remember the latest offer of a feature in its document; all of it is proposed."""
        self._latest[feature, offer.uri] = offer
        proposals = [Proposal(offer, rank) for rank in range(len(offer.candidates))]
        self._proposals.update((each.id, each) for each in proposals)
        while len(self._proposals) > _KEPT:
            self._seen.discard(self._proposals.popitem(last=False)[0])
        return proposals

    def latest(self, feature: str, uri: str) -> Offer | None:
        """The latest offer of a feature in a document."""
        return self._latest.get((feature, uri))

    def is_new(self, proposal: Proposal) -> bool:
        """Say whether a proposal is asked about for the first time."""
        new = proposal.id in self._proposals and proposal.id not in self._seen
        if new:
            self._seen.add(proposal.id)
        return new

    def accept(self, proposal_id: str) -> Accepted | None:
        """Remember that a proposal was accepted; None for one that is not known any more."""
        proposal = self._proposals.get(proposal_id)
        if proposal is None:
            return None
        offer = proposal.offer
        line = offer.text[offer.text.rfind("\n", 0, offer.offset) + 1 : offer.offset]
        code = proposal.candidate.code
        first = line + code[: end_of_statement(offer.begun, code)]
        accepted = Accepted(proposal, first.lstrip(), (line + code).lstrip())
        known = [each for each in self._accepted.get(offer.uri, []) if each != accepted]
        self._accepted[offer.uri] = [*known, accepted][-_KEPT:]
        return accepted

    def accepted_at(self, uri: str, text: str, offset: int) -> Accepted | None:
        """The last accepted completion that stands at a place of a document."""
        return next((each for each in reversed(self._accepted.get(uri, [])) if each.holds(text, offset)), None)

    def clear(self) -> None:
        """Offer nothing from memory, because another model would say something else."""
        self._latest.clear()

    def close(self, uri: str) -> None:
        """Forget a document."""
        self._latest = {key: offer for key, offer in self._latest.items() if key[1] != uri}
        self._proposals = OrderedDict(each for each in self._proposals.items() if each[1].offer.uri != uri)
        self._seen &= self._proposals.keys()
        self._accepted.pop(uri, None)
