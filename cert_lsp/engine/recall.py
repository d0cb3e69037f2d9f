"""What was written or read lately, as guesses for what comes next (see `draft`).

Between two keystrokes most of an answer stays as it was, so the last answer is a draft of the next: what the model
would write again is verified several tokens at a time. And code repeats what stands above it, the names of its frames
first of all: `seen_before` guesses what stood behind the same tokens the last time.
"""

from collections import deque
from collections.abc import Sequence

_KEPT = 4
_SAME = 0.9
"""How surely an answer that began like an older one goes on like it, by experience."""
_REPEATED = {3: 0.7, 2: 0.45, 1: 0.25}
"""How surely what has been read goes on as before, by the number of tokens that it has in common with before."""


class Recall:
    """The last few answers of one kind, as tokens. Belongs to one worker."""

    def __init__(self) -> None:
        self._answers: deque[tuple[int, ...]] = deque(maxlen=_KEPT)

    def note(self, tokens: Sequence[int]) -> None:
        """Remember an answer, also one that was broken off; it takes the place of those that begin it."""
        noted = tuple(tokens)
        longer = [each for each in self._answers if each[: len(noted)] == noted]
        if noted and not longer:
            others = [each for each in self._answers if noted[: len(each)] != each]
            self._answers = deque([*others, noted], maxlen=_KEPT)

    def after(self, tokens: Sequence[int]) -> list[tuple[int, float]]:
        """Return what followed `tokens`, the beginning of an answer, the last time; [] if it is a new beginning."""
        begun = tuple(tokens)
        for answer in reversed(self._answers):
            if len(answer) > len(begun) and answer[: len(begun)] == begun:
                return [(token, _SAME) for token in answer[len(begun) :]]
        return []


def seen_before(tokens: Sequence[int]) -> tuple[int, float] | None:
    """Return what stood behind the longest end of `tokens` that was there before, and how surely it does again.

    Of several places the last one counts; None if even the last token is new.
    """
    found: tuple[int, float] | None = None
    common = 0
    for place in range(len(tokens) - 2, -1, -1):
        if tokens[place] != tokens[-1]:
            continue
        length = 1
        while length < len(_REPEATED) and place >= length and tokens[place - length] == tokens[-1 - length]:
            length += 1
        if length > common:
            common, found = length, (tokens[place + 1], _REPEATED[length])
            if common == len(_REPEATED):
                break
    return found
