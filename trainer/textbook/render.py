"""One operation, one scene, one voice -> the text before the cursor, the answer, and a program that proves it."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from trainer.textbook import words as lexicon
from trainer.textbook.operations import SLOT, Operation
from trainer.textbook.sandbox import Program
from trainer.textbook.scene import Scene, make_scene
from trainer.textbook.wording import Voice
from trainer.textbook.writer import Opening, Writer, answer_of, fill, substitute


@dataclass
class Sample:
    """One training pair before and after it has run.

    Attributes:
        head: Text before the cursor; may hold `EXAMPLE`.
        code: The answer.
        intent: What is asked.
        operation: What it is made of.
        program: What proves it.
        line_prefix: The last line of the head.
        family: Tells those apart that are asked of the same data; None where it stands alone.
    """

    head: str
    code: str
    intent: str
    operation: Operation
    program: Program
    line_prefix: str
    family: object = None


@dataclass(frozen=True)
class _Request:
    """How one person asks for an operation: the phrasing, its slots unfilled, and the code that answers it."""

    operation: Operation
    picks: dict[str, str]
    code: str
    others: list[str]
    voice: Voice
    shape: str
    docstring: bool
    phrasing: str
    style: str

    @property
    def slots(self) -> frozenset[str]:
        """What has to be filled in."""
        return self.operation.slots | {match[1] for match in SLOT.finditer(self.phrasing)}


def render(operation: Operation, rng: random.Random) -> Sample:
    """Make one sample; nothing is run yet.

    Raises:
        ValueError: No subject has words for the phrasing.
    """
    request = _ask(operation, rng)
    scene = make_scene(operation, request.slots, rng, lexicon.forms_in(request.phrasing))
    return _sample(request, _writer(request, scene, rng, _setup(scene)), None)


def render_family(operations: Sequence[Operation], rng: random.Random) -> list[Sample]:
    """Make samples that ask for `operations` of the same data, so that their heads begin alike; nothing is run yet.

    Args:
        operations: With the same inputs and traits; the last ones are left out where no subject has words for all.
        rng: What is drawn from.

    Raises:
        ValueError: No subject has words for the first phrasing.
    """
    requests = [_ask(operation, rng) for operation in operations]
    while True:
        asked: dict[str, frozenset[str]] = {}
        for request in requests:
            for slot, forms in lexicon.forms_in(request.phrasing).items():
                asked[slot] = asked.get(slot, frozenset()) | forms
        try:
            scene = make_scene(operations[0], frozenset().union(*(each.slots for each in requests)), rng, asked)
            break
        except ValueError:
            if len(requests) == 1:
                raise
            requests.pop()
    setup = _setup(scene)
    writers = [_writer(request, scene, rng, setup) for request in requests]
    first = next((writer for writer in writers if writer.meant), writers[0])
    opening = first.opening([request.code for request in requests])
    family = object()
    samples = [_sample(request, writer, opening) for request, writer in zip(requests, writers, strict=True)]
    for sample in samples:
        sample.family = family
    return samples


def _ask(operation: Operation, rng: random.Random) -> _Request:
    picks = {slot: rng.choice(options) for slot, options in operation.picks.items()}
    words = {slot: rng.choice(options) for slot, (_, options) in picks.items()}
    chosen_picks = {slot: code for slot, (code, _) in picks.items()}
    codes = [substitute(code, chosen_picks) for code in operation.code]
    chosen = codes[0] if len(codes) == 1 or rng.random() < 0.85 else rng.choice(codes[1:])
    library = (
        "pandas" if operation.slots & {"df", "ser", "strs", "times", "ts", "flags"} or "pd." in chosen else "numpy"
    )
    voice = Voice(rng, library)
    single = "\n" not in chosen and answer_of(chosen, {}).root is None
    single = single or re.match(r"<df>\[<\w+>\] = [^\n]+\Z", chosen) is not None
    shape = rng.choices(("assign", "line", "function"), weights=(5 if single else 0, 3, 3.4))[0]
    docstring = shape == "function" and rng.random() < 0.55
    phrasing, style = voice.intent(operation, docstring=docstring)
    others = [code for code in codes if code is not chosen]
    others += [substitute(code, chosen_picks) for code in operation.same]
    return _Request(
        operation, chosen_picks, chosen, others, voice, shape, docstring, substitute(phrasing, words), style
    )


def _setup(scene: Scene) -> list[str]:
    return [line for slot in scene.names for line in scene.build[slot]]


def _writer(request: _Request, scene: Scene, rng: random.Random, setup: list[str]) -> Writer:
    return Writer(request.operation, scene, request.voice, rng, request.code, request.phrasing, request.style, setup)


def _sample(request: _Request, writer: Writer, opening: Opening | None) -> Sample:
    operation, scene, literals = request.operation, writer.scene, writer.literals
    filled = [answer_of(code, literals, scene) for code in request.others]
    head, code, program, answer, files = (
        writer.function(request.docstring, opening)
        if request.shape == "function"
        else writer.script(request.shape == "assign", opening)
    )
    everything = "\n".join([*writer.setup, *(other.text for other in filled)])
    prelude = "import numpy as np\nimport pandas as pd\n" + "\n".join(writer.setup) if everything else ""
    return Sample(
        head=head,
        code=code,
        intent=writer.intent,
        operation=operation,
        program=Program(
            program=program,
            setup=prelude,
            same=tuple({"code": other.text, "answer": other.root} for other in filled),
            gone=fill(operation.old, literals, scene.raw),
            holds=fill(substitute(operation.holds, request.picks), literals, scene.raw),
            answer=answer,
            files=files,
        ),
        line_prefix=head[head.rfind("\n") + 1 :],
    )
