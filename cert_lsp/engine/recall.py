"""Answers written lately, as guesses for the next one.

Between two keystrokes most of an answer stays as it was, so the last answer is a draft of the next (see `decode`): what
the model would write again is verified several tokens at a time. Where there is nothing to recall, `next_of` guesses
one token from what the model has read, which costs nothing: a lone token is read in two rows anyway (see `runtime`).
Like every draft, neither changes an answer.
"""

from collections import deque
from collections.abc import Sequence

_KEPT = 4
_MOST = 8
"""Tokens guessed at once: more would be lost on the first disagreement."""


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

    def after(self, tokens: Sequence[int]) -> tuple[int, ...]:
        """Return what followed `tokens`, the beginning of an answer, the last time; () if it is a new beginning."""
        begun = tuple(tokens)
        for answer in reversed(self._answers):
            if len(answer) > len(begun) and answer[: len(begun)] == begun:
                return answer[len(begun) : len(begun) + _MOST]
        return ()


def next_of(token: int, held: Sequence[int]) -> tuple[int, ...]:
    """Return the token that stood behind `token` in `held`, the tokens before it; () if it is new.

    The last place counts, one with the same token before it more than others.
    """
    other: tuple[int, ...] = ()
    for place in range(len(held) - 2, -1, -1):
        if held[place] == token:
            if place and held[place - 1] == held[-1]:
                return (held[place + 1],)
            other = other or (held[place + 1],)
    return other
