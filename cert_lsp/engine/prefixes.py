"""Which prompts are held as keys and values, so that who jumps between places of a file finds each of them read.

Typing at one place changes the end of a prompt: its cache is rewound to where the prompt begins to differ, and goes on.
A prompt that has little in common with it gets a cache of its own. When all together would hold more than `CEILING`
tokens, those used least lately are let go, or the oldest is taken for it, whose memory is there already; an answer
comes on top. Belongs to one worker.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cert_lsp.engine.runtime import Cache, Runtime

CEILING = 768
"""Tokens held at most, the longest that each cache ever held added up: 46 KB each with the embedded model."""

_COMMON = 0.5
"""Share of a prompt that a cache must hold already to be rewound for it."""

_LONGER = 2
"""How much longer than a prompt the longest may have been whose cache it gets: all its memory counts."""


@dataclass
class Held:
    """A cache, the tokens that it holds, and the most that it ever held: so much of its memory is taken."""

    cache: "Cache"
    tokens: list[int] = field(default_factory=list[int])
    most: int = 0

    def common(self, tokens: Sequence[int]) -> int:
        """Return how many of the first `tokens` it holds."""
        count = 0
        for held, wanted in zip(self.tokens, tokens, strict=False):
            if held != wanted:
                break
            count += 1
        return count

    def rewind(self, length: int) -> None:
        """Forget everything after the first `length` tokens."""
        self.cache.rewind(length)
        del self.tokens[length:]

    def note(self, tokens: Sequence[int]) -> None:
        """Remember that `tokens` were appended to the cache."""
        self.tokens += tokens
        self.most = max(self.most, len(self.tokens))


class Prefixes:
    """The caches of one model, the one used last at the end."""

    def __init__(self, runtime: "Runtime") -> None:
        self._runtime = runtime
        self._held = [Held(runtime.new_cache())]

    @property
    def all(self) -> Sequence[Held]:
        """All caches."""
        return self._held

    @property
    def current(self) -> Held:
        """The cache in use."""
        return self._held[-1]

    def turn_to(self, tokens: Sequence[int]) -> Held:
        """Take the cache that holds most of the beginning of `tokens`, or a new one.

        It is rewound to what it has in common with them, less the last one at least, which is to be read anew.
        """
        best = max(self._held, key=lambda held: (held.common(tokens), held is self.current))
        common = min(best.common(tokens), len(tokens) - 1)
        if best.tokens and common < _COMMON * len(tokens):
            oldest = self._held[0]
            full = sum(held.most for held in self._held) + len(tokens) > CEILING
            reusable = full and oldest.most <= _LONGER * len(tokens)
            best, common = oldest if reusable else Held(self._runtime.new_cache()), 0
        self._held = [*(held for held in self._held if held is not best), best]
        room = CEILING - max(best.most, len(tokens))
        while len(self._held) > 1 and sum(held.most for held in self._held[:-1]) > room:
            del self._held[0]
        best.rewind(common)
        return best
