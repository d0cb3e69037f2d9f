"""Sketch as draft: how many forward passes of the generator it saves, and that the output stays the same."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING
from unittest import mock

from cert_lsp.contract.prompt import Marker
from cert_lsp.contract.sketch import SIGIL
from cert_lsp.engine.context import whole_context

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from benchmarks.engine import Model
    from cert_lsp.contract.tokens import Encoder
    from cert_lsp.engine.runtime import Cache, Runtime, RuntimeInfo
    from evals.suite import Task


@dataclass(frozen=True)
class Draft:
    """Sums over the tasks whose sketch holds placeholders.

    Attributes:
        looked_at: Tasks that were completed to find them.
        tasks: Their number.
        plain: Forward passes for the code without a draft, one for each token.
        drafted: The same with the sketch as draft.
        tokens: Tokens read in the drafted passes, those that were thrown away too.
        equal: Tasks with the same output both ways.
    """

    looked_at: int
    tasks: int
    plain: int
    drafted: int
    tokens: int
    equal: int

    @property
    def ratio(self) -> float:
        """How many times fewer passes."""
        return self.plain / max(self.drafted, 1)

    @property
    def accepted(self) -> float:
        """Guessed tokens that a pass keeps: each saves a pass."""
        return (self.plain - self.drafted) / max(self.drafted, 1)

    @property
    def accepted_share(self) -> float:
        """Share of the guessed tokens that are kept."""
        return (self.plain - self.drafted) / max(self.tokens - self.drafted, 1)


def measure_draft(model: Model, tasks: Sequence[Task], seconds: float, tick: Callable[[], None]) -> Draft:
    """Complete tasks with and without the draft, as many as `seconds` allow, and count the passes that write code.

    `tick` is called before each task.
    """
    looked_at = counted = equal = drafted = tokens = plain = 0
    until = time.perf_counter() + seconds
    for task in takewhile(lambda _: time.perf_counter() < until, tasks):
        tick()
        looked_at += 1
        context = whole_context(task.prompt)
        drafting, single = (_Counter(model.runtime, model.encoder) for _ in range(2))
        offered = model.engine(drafting).complete(context)
        if not drafting.placeholders:
            continue
        with mock.patch("cert_lsp.engine.decode.chain", return_value=[]):
            without = model.engine(single).complete(context)
        counted += 1
        equal += offered == without  # code, sketch, and the probability of every token in the score
        drafted += drafting.passes
        tokens += drafting.tokens
        plain += single.passes
    return Draft(looked_at, counted, plain, drafted, tokens, equal)


class _Counter:
    """A runtime that counts the passes behind a code marker, and sees whether a sketch before it has placeholders."""

    def __init__(self, runtime: Runtime, encoder: Encoder) -> None:
        self._runtime, self._encoder = runtime, encoder
        self._held: list[int] = []
        self.vocab_size = runtime.vocab_size
        self.passes = self.tokens = 0
        self.placeholders = False

    def new_cache(self) -> Cache:
        return self._runtime.new_cache()

    def forward(self, cache: Cache, ids: Sequence[int], *, keep: int = 1) -> NDArray[np.float32]:
        self._held = [*self._held[: cache.length], *ids]
        sketch, code = (self._encoder.marker_id(marker) for marker in (Marker.SKETCH, Marker.CODE))
        if code in self._held:
            self.passes += 1
            self.tokens += len(ids)
            if sketch in self._held:
                written = self._held[self._held.index(sketch) : self._held.index(code)]
                self.placeholders |= SIGIL in self._encoder.decode(written)
        return self._runtime.forward(cache, ids, keep=keep)

    def describe(self) -> RuntimeInfo:
        return self._runtime.describe()
