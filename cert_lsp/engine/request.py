"""One request on its way through the models: what to ask them, and what to make of what they write.

One model (`Layout.JOINT`) writes the sketch, then the code in the same cache. Two models (`Layout.PAPER`) follow the
paper: a sketch without placeholders already is the answer, without a sketch the generator sees the prompt alone, and if
the generator gives nothing, the sketch-less answer counts. An untrained model (`Layout.PLAIN`) writes code at once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from textwrap import dedent, indent
from threading import Event
from typing import Literal

import numpy as np

from cert_lsp.contract.prompt import Layout, Marker, Role, Segment, render, render_without_sketch
from cert_lsp.contract.sketch import Sketch, parse_wire
from cert_lsp.contract.sketch import sketch as make_sketch
from cert_lsp.contract.tokens import Encoder
from cert_lsp.engine.api_filter import ApiFilter
from cert_lsp.engine.context import Context
from cert_lsp.engine.decode import Decoder
from cert_lsp.engine.draft import Step, follow
from cert_lsp.engine.extent import end_of_answer, extent_of, last_whole_line
from cert_lsp.engine.fills import Fills
from cert_lsp.engine.knowledge import judge_of
from cert_lsp.engine.rank import Candidate, Draw, rank
from cert_lsp.engine.writing import Answer, Sampling, Task
from cert_lsp.errors import SketchError

Mode = Literal["sketch", "nosketch"]

_SKETCH_ENDS = {
    Role.JOINT: frozenset({Marker.CODE, Marker.END}),
    Role.SKETCHER: frozenset({Marker.END}),
}
_CODE_ENDS = frozenset({Marker.END})
_PATIENCE = 128  # tokens written, behind which no further alternative is begun: it would come too late


@dataclass(frozen=True)
class Request:
    """One request on its way through the models."""

    layout: Layout
    decoders: Mapping[Role, Decoder]
    encoder: Encoder
    context: Context
    candidates: int
    max_tokens: int
    sampling: Sampling
    random: np.random.Generator
    cancel: Event | None
    knows: frozenset[str]

    @cached_property
    def api(self) -> ApiFilter:
        """What may be written here; read when it is asked for, off the event loop."""
        return ApiFilter.of(self.context, mends="successors" in self.knows)

    @cached_property
    def allows(self) -> Callable[[str, int], bool]:
        """What looks at each token of an answer."""
        return judge_of(self.context, self.api, self.knows)

    @cached_property
    def fills(self) -> Fills:
        """What may stand at placeholders here, the same for each answer."""
        return Fills(self.context.head, self.context.intent)

    def ranked(self, draws: Iterable[Draw]) -> list[Candidate]:
        """Order what can be offered of `draws`."""
        judge = self.api if "api_order" in self.knows else None
        return rank(self.context, draws, judge, mend="successors" in self.knows)

    def best(self, count: int, mode: Mode) -> list[Candidate]:
        """Write `count` answers or one more, and a few if none so far can be offered with API that exists."""
        greedy = self.sampling.temperature <= 0
        both_ways = greedy and count > 1 and self._sketches(mode) and "both_ways" in self.knows
        draws = self.draws(mode, both_ways=both_ways)
        asked_for = list(islice(draws, count + both_ways))
        offered, tokens = self.real(asked_for), sum(draw.tokens for draw in asked_for)
        while not offered and tokens < _PATIENCE and (spare := next(draws, None)):
            offered, tokens = self.real([spare]), tokens + spare.tokens
        return offered[:count]

    def real(self, draws: Iterable[Draw]) -> list[Candidate]:
        """Order what can be offered of `draws` and names API that exists alone: nothing is better than made-up API."""
        return [each for each in self.ranked(draws) if each.api_exists]

    def by_neighbour(self) -> list[Candidate]:
        """Write what follows from the sketch of the context's neighbour; nothing without one, or if it is no API."""
        if not self.context.near or self.layout is Layout.PLAIN:
            return []
        sketch = parse_wire(self.context.near)
        decoder, task = self._code_task(sketch)  # without placeholders too: its names are those of another place
        answer = decoder.answer(task, self.random, self.cancel)
        return self.real([_draw(self._whole(answer), sketch, answer)])

    def draws(self, mode: Mode, *, both_ways: bool = False) -> Iterator[Draw]:
        """Write up to `candidates` answers, the likeliest first, each when it is asked for.

        ``both_ways``: behind the first by way of a sketch comes one without.
        """
        if not self._sketches(mode):
            yield from (self._unsketched(answer) for answer in self._several(*self._code_task(None)))
            return
        for answer in self._several(*self._sketch_task()):
            wire = self._whole(answer)
            draw = self._by(Sketch(wire), answer) if wire.strip() else self._alone()
            yield draw
            if both_ways:
                yield self._alone(draw.answer)
                both_ways = False

    def read_ahead(self, mode: Mode) -> None:
        """Read the prompt of the first stage."""
        decoder, task = self._sketch_task() if self._sketches(mode) else self._code_task(None)
        decoder.read_ahead(task.prompt, self.cancel)

    def draws_from(self, sketch: Sketch) -> Iterator[Draw]:
        """Write up to `candidates` answers to a sketch that is given."""
        if not sketch.placeholders:
            if sketch.wire.startswith(self.context.forced):
                yield Draw(sketch.wire, _shown(sketch), 0.0)
        elif self.layout is not Layout.PLAIN:
            for answer in self._several(*self._code_task(sketch)):
                yield _draw(self._whole(answer), sketch, answer)

    def _sketches(self, mode: Mode) -> bool:
        """Say whether answers go by way of a sketch; those of a plain bundle never do."""
        return mode == "sketch" and self.layout is not Layout.PLAIN

    def _by(self, sketch: Sketch, written: Answer) -> Draw:
        """Write the code of one sketch; a whole sketch without placeholders is its own code."""
        if written.complete and not sketch.placeholders:
            return _draw(sketch.wire, sketch, written)
        decoder, task = self._code_task(sketch)
        answer = decoder.answer(task, self.random, self.cancel)
        code = self._whole(answer)
        return _draw(code, sketch, written, answer) if code.strip() else self._alone()

    def _alone(self, like: str = "") -> Draw:
        """Write code without a sketch, where there is none or it led to nothing, or beside its code.

        ``like``: code by a sketch, which this is probably the same as.
        """
        decoder, task = self._code_task(None)
        task = replace(task, follows=self._follow(Sketch(like)))
        return self._unsketched(decoder.answer(task, self.random, self.cancel))

    def _unsketched(self, answer: Answer) -> Draw:
        """Take code that no sketch led to; its sketch is made from it, for people to see."""
        code = self._whole(answer)
        try:
            sketch = make_sketch(code, before=self.context.statement)
        except SketchError:
            sketch = Sketch("")
        return _draw(code, sketch, answer)

    def _sketch_task(self) -> tuple[Decoder, Task]:
        role = Role.JOINT if self.layout is Layout.JOINT else Role.SKETCHER
        return self._task(role, lambda head: render(role, head, None, None), _SKETCH_ENDS[role], 2)

    def _code_task(self, sketch: Sketch | None) -> tuple[Decoder, Task]:
        role = Role.GENERATOR if self.layout is Layout.PAPER else Role(self.layout.value)
        if sketch is None:
            return self._task(role, lambda head: render_without_sketch(role, head), _CODE_ENDS, 1)
        decoder, task = self._task(role, lambda head: render(role, head, sketch.wire, None), _CODE_ENDS, 1)
        return decoder, replace(task, follows=self._follow(sketch))

    def _follow(self, sketch: Sketch) -> Callable[[str], Step]:
        """Guess code by a sketch."""
        return follow(sketch, self.encoder.encode_text, self.fills)

    def _task(
        self, role: Role, laid_out: Callable[[str], Sequence[Segment]], ends: frozenset[Marker], stages: int
    ) -> tuple[Decoder, Task]:
        """Lay out the prompt of one stage, with room for the answers of `stages` stages behind the head."""
        decoder = self.decoders[role]
        room = decoder.capacity - stages * self.max_tokens
        head = self.context.head
        while len(prompt := self.encoder.encode(laid_out(head)).ids) > room and head:
            head = _shortened(head, room / len(prompt))
        return decoder, Task(
            prompt=prompt,
            forced=self.context.forced,
            ends=ends,
            ended=self._ended,
            max_tokens=self.max_tokens,
            sampling=self.sampling,
            allows=self.allows,
        )

    def _several(self, decoder: Decoder, task: Task) -> Iterator[Answer]:
        """Draw answers, or write the likeliest and those that differ from it where it was least sure."""
        first = decoder.answer(task, self.random, self.cancel)
        yield first
        if self.sampling.temperature > 0:
            for _ in range(1, self.candidates):
                yield decoder.answer(task, self.random, self.cancel)
            return
        seen = {first.text}
        for alternative in first.alternatives[: 2 * (self.candidates - 1)]:
            if len(seen) == self.candidates:
                break
            start = first.branch(alternative)
            if not decoder.may_start(task, start):
                continue
            answer = decoder.answer(replace(task, start=start), self.random, self.cancel)
            if answer.text not in seen:  # half a word may lead back to the same word
                seen.add(answer.text)
                yield answer

    def _ended(self, answer: str) -> int | None:
        statement = self.context.statement
        end = end_of_answer(statement + answer, extent_of(self.context))
        return None if end is None else max(0, end - len(statement))

    def _whole(self, answer: Answer) -> str:
        """Return an answer's text; of one that broke off, the statements that are complete."""
        if answer.complete:
            return answer.text
        statement = self.context.statement
        end = last_whole_line(statement + answer.text) - len(statement)
        return answer.text[: max(0, end)]


def _draw(code: str, sketch: Sketch, *answers: Answer) -> Draw:
    """Return code and its sketch as the draw that `answers` are."""
    tokens = sum(len(answer.logarithms) for answer in answers)
    return Draw(code, _shown(sketch), sum(answer.log_probability for answer in answers), tokens)


def _shown(sketch: Sketch) -> str:
    """Return a sketch's wire text without the indentation of its place."""
    return dedent(sketch.wire.strip("\n")).strip()


def placed(shown: str, forced: str) -> Sketch:
    """Return a sketch with the indentation of its place, which is that of `forced`; the inverse of `_shown`."""
    lines = "\n".join(shown.splitlines()).strip()
    return parse_wire(indent(lines, forced[: len(forced) - len(forced.lstrip())]))


def _shortened(head: str, share: float) -> str:
    """Drop lines from the top of `head` until at most about `share` of it is left."""
    cut = max(1, int(len(head) * (1 - 0.95 * share)))
    line_end = head.find("\n", cut)
    return head[line_end + 1 :] if line_end >= 0 and line_end + 1 < len(head) else head[cut:]
