"""Context to sketches to ranked candidates: the rooms of the engine in the order in which a request passes them.

One model (`Layout.JOINT`) writes the sketch, then the code in the same cache. Two models (`Layout.PAPER`) follow the
paper: a sketch without placeholders already is the answer, without a sketch the generator sees the prompt alone, and if
the generator gives nothing, the sketch-less answer counts. An untrained model (`Layout.PLAIN`) writes code at once.

An `Engine` belongs to one worker: its methods must not run at the same time. `Event.set` on a request's `cancel` may
come from any thread.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from textwrap import dedent, indent
from threading import Event
from typing import Literal, Self

import numpy as np

from cert_lsp.contract.bundle import EMBEDDED, Manifest, check_sizes, load_manifest
from cert_lsp.contract.prompt import Layout, Marker, Role, Segment, render, render_without_sketch
from cert_lsp.contract.sketch import Sketch, parse_wire
from cert_lsp.contract.sketch import sketch as make_sketch
from cert_lsp.contract.tokens import Encoder
from cert_lsp.engine.api_filter import ApiFilter
from cert_lsp.engine.api_index import UNKNOWN, Versions
from cert_lsp.engine.context import Context, whole_context
from cert_lsp.engine.decode import Decoder
from cert_lsp.engine.draft import follow
from cert_lsp.engine.extent import end_of_answer, extent_of, last_whole_line
from cert_lsp.engine.fills import Fills
from cert_lsp.engine.idioms import Idioms
from cert_lsp.engine.knowledge import KNOWLEDGE, judge_of
from cert_lsp.engine.rank import Candidate, Draw, rank
from cert_lsp.engine.runtime import Runtime, open_runtime
from cert_lsp.engine.vocabulary import Vocabulary
from cert_lsp.engine.writing import Answer, Sampling, Task
from cert_lsp.errors import SketchError

Mode = Literal["sketch", "nosketch"]

_SKETCH_ENDS = {
    Role.JOINT: frozenset({Marker.CODE, Marker.END}),
    Role.SKETCHER: frozenset({Marker.END}),
}
_CODE_ENDS = frozenset({Marker.END})
_READ_AHEAD = 96  # tokens for which room is left behind a prompt that is read ahead, as `complete` does
_SPARE = 3  # further alternatives that are written, one by one, while none so far can be offered
_PATIENCE = 128  # tokens written, behind which no further alternative is begun: it would come too late


class Engine:
    """A bundle, opened: answers contexts.

    Attributes:
        manifest: What the bundle says of itself.
        runtimes: The model of each role, for reports.
    """

    def __init__(
        self,
        manifest: Manifest,
        encoder: Encoder,
        runtimes: Mapping[Role, Runtime],
        idioms: Idioms | None = None,
        knows: frozenset[str] = KNOWLEDGE,
    ) -> None:
        """Put an engine together from its parts; `open` does so from a folder."""
        self.manifest = manifest
        self.runtimes = runtimes
        self._encoder = encoder
        self._knows = knows
        self._decoders = {
            role: Decoder(runtime, Vocabulary(encoder, runtime.vocab_size), idioms)
            for role, runtime in runtimes.items()
        }

    @classmethod
    def open(
        cls,
        bundle_dir: Path | None = None,
        *,
        threads: int | None = None,
        provider: str = "auto",
        knows: frozenset[str] = KNOWLEDGE,
    ) -> Self:
        """Load a bundle; the embedded one if no folder is named. `knows` is for evaluation: which helps it has.

        Raises:
            BundleError: If it is missing, damaged or of another version.
            RuntimeUnavailableError: If ONNX Runtime cannot load it.
        """
        folder = bundle_dir or EMBEDDED
        manifest = load_manifest(folder)
        check_sizes(folder, manifest)
        encoder = Encoder.load(folder / manifest.tokenizer, manifest.markers)
        runtimes = {role: open_runtime(folder, role, threads=threads, provider=provider) for role in manifest.models}
        idioms = Idioms.load(folder / manifest.idioms) if manifest.idioms else None
        return cls(manifest, encoder, runtimes, idioms, knows)

    def complete(
        self,
        context: Context,
        *,
        candidates: int = 1,
        mode: Mode = "sketch",
        max_tokens: int = 96,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int = 0,
        cancel: Event | None = None,
    ) -> list[Candidate]:
        """Write completions for `context`, each with its sketch.

        Args:
            context: What is asked for.
            candidates: How many to write; fewer come back where they agree or cannot be offered.
            mode: Whether to go by way of a sketch; a plain bundle never does.
            max_tokens: Longest sketch, and longest code.
            temperature: 0 writes the likeliest answer first and its nearest alternatives next; above 0 each is drawn.
            top_p: Share of the probability that tokens are drawn from.
            seed: Makes draws repeatable.
            cancel: Ends the work between two tokens when set.

        Returns:
            Best first, by the context's neighbour before all; empty if nothing can be offered, or only made-up API.

        Raises:
            DecodeCancelled: If `cancel` was set.
        """
        written = candidates if temperature > 0 else candidates + _SPARE
        request = self._request(context, written, max_tokens, cancel, Sampling(temperature, top_p), seed)
        near = request.by_neighbour() if mode == "sketch" else []
        if len(near) == candidates:
            return near
        own = request.best(candidates - len(near), mode)
        return [*near, *(each for each in own if each.code not in {first.code for first in near})]

    def complete_text(
        self,
        before: str,
        *,
        candidates: int = 1,
        mode: Mode = "sketch",
        max_tokens: int = 96,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int = 0,
        cancel: Event | None = None,
        versions: Versions = UNKNOWN,
    ) -> list[Candidate]:
        """Go on with any text; no intent is needed, and all of `before` that fits is read. Else as `complete`."""
        return self.complete(
            replace(whole_context(before), versions=versions),
            candidates=candidates,
            mode=mode,
            max_tokens=max_tokens,
            temperature=temperature,
            top_p=top_p,
            seed=seed,
            cancel=cancel,
        )

    def complete_from(
        self, context: Context, sketch: str, *, candidates: int = 1, max_tokens: int = 96, cancel: Event | None = None
    ) -> list[Candidate]:
        """Write the code that follows from a given sketch.

        Args:
            context: What is asked for.
            sketch: As `Candidate.template`, perhaps changed; one without placeholders is the code itself.
            candidates: How many to write.
            max_tokens: Longest code.
            cancel: Ends the work between two tokens when set.

        Returns:
            Best first; empty if nothing that can be offered follows, or if the model knows no sketches.

        Raises:
            DecodeCancelled: If `cancel` was set.
        """
        request = self._request(context, candidates, max_tokens, cancel)
        return request.ranked(request.draws_from(_placed(sketch, context.forced)))

    def read_ahead(self, context: Context, *, mode: Mode = "sketch", cancel: Event | None = None) -> None:
        """Read what `complete` would have to read for `context`, and write nothing.

        Raises:
            DecodeCancelled: If `cancel` was set; what has been read stays.
        """
        self._request(context, 1, _READ_AHEAD, cancel).read_ahead(mode)

    def _request(
        self,
        context: Context,
        candidates: int,
        max_tokens: int,
        cancel: Event | None,
        sampling: Sampling = Sampling(),  # noqa: B008 - frozen
        seed: int = 0,
    ) -> "_Request":
        random = np.random.default_rng(seed)
        layout, decoders, encoder = self.manifest.layout, self._decoders, self._encoder
        return _Request(
            layout, decoders, encoder, context, candidates, max_tokens, sampling, random, cancel, self._knows
        )


@dataclass(frozen=True)
class _Request:
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

    def ranked(self, draws: Iterable[Draw]) -> list[Candidate]:
        """Order what can be offered of `draws`."""
        judge = self.api if "api_order" in self.knows else None
        return rank(self.context, draws, judge, mend="successors" in self.knows)

    def best(self, count: int, mode: Mode) -> list[Candidate]:
        """Write `count` answers, and a few more if none so far can be offered with API that exists."""
        draws = self.draws(mode)
        asked_for = list(islice(draws, count))
        offered, tokens = self.real(asked_for), sum(draw.tokens for draw in asked_for)
        while not offered and tokens < _PATIENCE and (spare := next(draws, None)):
            offered, tokens = self.real([spare]), tokens + spare.tokens
        return offered

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

    def draws(self, mode: Mode) -> Iterator[Draw]:
        """Write up to `candidates` answers, the likeliest first, each when it is asked for."""
        if mode == "nosketch" or self.layout is Layout.PLAIN:
            yield from (self._unsketched(answer) for answer in self._several(*self._code_task(None)))
            return
        for answer in self._several(*self._sketch_task()):
            wire = self._whole(answer)
            yield self._by(Sketch(wire), answer) if wire.strip() else self._alone()

    def read_ahead(self, mode: Mode) -> None:
        """Read the prompt of the first stage."""
        unsketched = mode == "nosketch" or self.layout is Layout.PLAIN
        decoder, task = self._code_task(None) if unsketched else self._sketch_task()
        decoder.read_ahead(task.prompt, self.cancel)

    def draws_from(self, sketch: Sketch) -> Iterator[Draw]:
        """Write up to `candidates` answers to a sketch that is given."""
        if not sketch.placeholders:
            if sketch.wire.startswith(self.context.forced):
                yield Draw(sketch.wire, _shown(sketch), 0.0)
        elif self.layout is not Layout.PLAIN:
            for answer in self._several(*self._code_task(sketch)):
                yield _draw(self._whole(answer), sketch, answer)

    def _by(self, sketch: Sketch, written: Answer) -> Draw:
        """Write the code of one sketch; a whole sketch without placeholders is its own code."""
        if written.complete and not sketch.placeholders:
            return _draw(sketch.wire, sketch, written)
        decoder, task = self._code_task(sketch)
        answer = decoder.answer(task, self.random, self.cancel)
        code = self._whole(answer)
        return _draw(code, sketch, written, answer) if code.strip() else self._alone()

    def _alone(self) -> Draw:
        """Write code without a sketch, where there is none or it led to nothing."""
        decoder, task = self._code_task(None)
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
        fills = Fills(self.context.head, self.context.intent)
        return decoder, replace(task, follows=follow(sketch, self.encoder.encode_text, fills))

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


def _placed(shown: str, forced: str) -> Sketch:
    """Return a sketch with the indentation of its place, which is that of `forced`; the inverse of `_shown`."""
    lines = "\n".join(shown.splitlines()).strip()
    return parse_wire(indent(lines, forced[: len(forced) - len(forced.lstrip())]))


def _shortened(head: str, share: float) -> str:
    """Drop lines from the top of `head` until at most about `share` of it is left."""
    cut = max(1, int(len(head) * (1 - 0.95 * share)))
    line_end = head.find("\n", cut)
    return head[line_end + 1 :] if line_end >= 0 and line_end + 1 < len(head) else head[cut:]
