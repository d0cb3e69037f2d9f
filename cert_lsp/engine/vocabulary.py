"""The vocabulary as bytes: which tokens may come next while an answer must still begin with given characters.

The unfinished word at the cursor is taken back from the prompt and written again by the model ("token healing"),
because its own tokens seldom end where the typing stopped. While characters are owed, only tokens that go along with
them count: those that begin with all of the rest, and those that are a beginning of it.
"""

from bisect import bisect_left, bisect_right

import numpy as np
from numpy.typing import NDArray

from cert_lsp.contract.prompt import Marker
from cert_lsp.contract.tokens import Encoder

_HIGHEST = b"\xff" * 64  # sorts behind every token that begins with what stands before it


class Vocabulary:
    """Token ids by their bytes. Built once for a tokenizer; one thread at a time may use it."""

    def __init__(self, encoder: Encoder, width: int) -> None:
        """Sort the tokens of `encoder`; `width` is that of the model's logits, which may be padded."""
        self._encoder = encoder
        self._width = width
        spelled = ((encoder.token_bytes(token), token) for token in range(min(width, encoder.vocab_size)))
        pairs = sorted((spelling, token) for spelling, token in spelled if spelling)
        self._spellings = [spelling for spelling, _ in pairs]
        self._ids = np.array([token for _, token in pairs], dtype=np.int64)
        self._markers = {marker: encoder.marker_id(marker) for marker in Marker}
        self._penalties: dict[frozenset[Marker], NDArray[np.float32]] = {}

    def spelling(self, token: int) -> bytes:
        """Return the bytes of a token; empty for markers."""
        return self._encoder.token_bytes(token)

    def marker(self, token: int) -> Marker | None:
        """Return the marker that a token is, if any."""
        return next((marker for marker, marked in self._markers.items() if marked == token), None)

    def penalties(self, owed: bytes, ends: frozenset[Marker]) -> NDArray[np.float32]:
        """Return what to add to the logits: 0 for tokens that may come next, -inf for the rest.

        Args:
            owed: Bytes that the answer must still begin with.
            ends: Markers that may end the answer; none may while bytes are owed.

        Returns:
            Shape (width of the logits,), float32; not to be changed.
        """
        if not owed:
            return self._unbound(ends)
        penalties = np.full(self._width, -np.inf, dtype=np.float32)
        penalties[self._beginning_with(owed)] = 0.0
        if not owed.strip():  # an indentation, or the space before a word: more of it would be another place
            for more in (b" ", b"\t"):
                penalties[self._beginning_with(owed + more)] = -np.inf
        for length in range(1, len(owed)):
            at = bisect_left(self._spellings, owed[:length])
            if at < len(self._spellings) and self._spellings[at] == owed[:length]:
                penalties[self._ids[at]] = 0.0
        return penalties

    def _beginning_with(self, spelling: bytes) -> NDArray[np.int64]:
        first = bisect_left(self._spellings, spelling)
        return self._ids[first : bisect_right(self._spellings, spelling + _HIGHEST)]

    def _unbound(self, ends: frozenset[Marker]) -> NDArray[np.float32]:
        """Return the penalties where nothing is owed: made once, because every token asks for them."""
        if (known := self._penalties.get(ends)) is None:
            known = self._penalties[ends] = np.full(self._width, -np.inf, dtype=np.float32)
            known[self._ids] = 0.0
            known[[self._markers[marker] for marker in ends]] = 0.0
        return known
