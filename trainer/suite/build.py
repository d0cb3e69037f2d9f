"""Drafts -> tasks: run under each interpreter, kept where the documentation's code gives a value that can be checked.

A task stays if the first interpreter gives the same value twice, its own test passes there, and no trivial answer (the
data itself, nothing, a parameter handed back) does; under which of the other interpreters it passes is noted. Then
repetitions are dropped, what `left_out.txt` names, and what the published suites hold.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from cert_lsp.contract.sketch import sketch
from cert_lsp.errors import CorpusError, SketchError
from evals.sandbox import Limits, Sandbox
from evals.suite import Task, cut
from trainer.corpus.decontaminate import is_published
from trainer.corpus.readers import Source, read
from trainer.suite.draft import Draft
from trainer.suite.examples import example_drafts
from trainer.suite.functions import function_drafts
from trainer.suite.guest import reading, searching, test_source
from trainer.suite.inputs import combinations

LEFT_OUT = Path(__file__).with_name("left_out.txt")
LONGEST_CHECK = 1200
SAME_SKETCH, SAME_FILE = 2, 12
"""How many tasks may share a sketch, and come from one file."""
SEEN_TASKS = 310
"""How many tasks packages give that training reads too."""
_LIMITS = Limits(message_characters=20_000)


def drafts(sources: Sequence[tuple[Source, str, bool]], drops: Counter[str]) -> Iterator[Draft]:
    """Yield the drafts of the sources, each given with its pin and whether it is unseen."""
    for source, pin, unseen in tqdm(sources, "read", unit="package", disable=None):
        for document in read(source, drops):
            yield from example_drafts(document, pin, unseen=unseen, drops=drops)
            if unseen:
                yield from function_drafts(document, pin, unseen=unseen, drops=drops)


def build(found: Sequence[Draft], pythons: Sequence[Path], drops: Counter[str]) -> list[dict[str, Any]]:
    """The tasks of the drafts, as a suite's records.

    Args:
        found: The drafts, the ones preferred first.
        pythons: Interpreters with pandas; the first one decides.
        drops: Counts what is dropped, by reason.

    Raises:
        EvalError: An interpreter does not start.
    """
    chosen = _chosen(found, drops)
    with Sandbox(pythons[0], limits=_LIMITS) as sandbox:
        chosen = _with_arguments(chosen, sandbox, drops)
        read_twice = [_read(chosen, sandbox) for _ in range(2)]
        tasks: list[tuple[Draft, Task]] = []
        for draft, first, second in zip(chosen, *read_twice, strict=True):
            if isinstance(first, str) or first != second:
                drops[f"run: {first}" if isinstance(first, str) else "run: another value each time"] += 1
            else:
                tasks.append((draft, _task(draft, first)))
        tasks = _deciding(tasks, sandbox, drops)
        held = {task.task_id: [_versions(sandbox)] for _, task in tasks}
    for python in pythons[1:]:
        with Sandbox(python, limits=_LIMITS) as sandbox:
            programs = [task.program(task.canonical_solution[0]) for _, task in tasks]
            for (_, task), outcome in zip(tasks, sandbox.run(programs), strict=True):
                held[task.task_id] += [_versions(sandbox)] * outcome.passed
    kept: list[dict[str, Any]] = []
    seen_tasks = 0
    for draft, task in tasks:
        if not draft.unseen and (seen_tasks := seen_tasks + 1) > SEEN_TASKS:
            drops["enough of packages that training reads"] += 1
            continue
        kept.append(_record(draft, replace(task, holds=tuple(held[task.task_id]))))
    return kept


def _chosen(found: Sequence[Draft], drops: Counter[str]) -> list[Draft]:
    """Drafts that repeat none before them, are not left out by hand and are in no published suite."""
    left_out = read_left_out()
    codes: set[str] = set()
    intents: set[str] = set()
    sketches: Counter[str] = Counter()
    files: Counter[str] = Counter()
    chosen: list[Draft] = []
    for draft in found:
        code, intent = _normal(draft.solution), draft.intent.lower()
        wire = _wire(draft.solution)
        file = f"{draft.source}/{draft.path}"
        if draft.key in left_out:
            drops["left out by hand"] += 1
        elif code in codes or intent in intents or (wire and sketches[wire] >= SAME_SKETCH):
            drops["repeats another task"] += 1
        elif files[file] >= SAME_FILE and draft.entry_point == "none":
            drops["enough of this file"] += 1
        elif is_published([draft.intent, *draft.prompt.split("\n")]):
            drops["in a published suite"] += 1
        elif {draft.entry_point, *draft.probes} & {"plain", "same", "check"}:
            drops["a name of the test's own"] += 1
        elif cut(draft.solution) != draft.solution:
            drops["the cut would shorten it"] += 1
        else:
            codes.add(code)
            intents.add(intent)
            sketches[wire] += 1
            files[file] += 1
            chosen.append(draft)
    return chosen


def _with_arguments(found: Sequence[Draft], sandbox: Sandbox, drops: Counter[str]) -> list[Draft]:
    """The drafts, with probes for the arguments that were found; those without any probe are dropped."""
    wanted = [draft for draft in found if draft.searched]
    programs = [
        searching(draft.prompt, draft.solution, draft.entry_point, combinations(draft.searched)) for draft in wanted
    ]
    outcomes = dict(zip([d.key for d in wanted], _bar(sandbox.run(programs), len(programs), "search"), strict=True))
    ready: list[Draft] = []
    for draft in found:
        outcome = outcomes.get(draft.key)
        if outcome is not None and outcome.kind == "Reply" and int(outcome.message) >= 0:
            lists = combinations(draft.searched)[int(outcome.message)]
            calls = tuple(f"{draft.entry_point}({arguments})" for arguments in lists)
            draft = replace(draft, probes=(*draft.probes, *calls))
        if draft.probes:
            ready.append(draft)
        else:
            drops["function: no arguments found"] += 1
    return ready


def _read(found: Sequence[Draft], sandbox: Sandbox) -> list[list[Any] | str]:
    """The probes' values of each draft, or the reason why there are none."""
    programs = [reading(draft.prompt, draft.solution, draft.setup, draft.probes) for draft in found]
    values: list[list[Any] | str] = []
    for outcome in _bar(sandbox.run(programs), len(programs), "read values"):
        if outcome.kind != "Reply":
            values.append(outcome.kind)
        elif len(outcome.message) > LONGEST_CHECK:
            values.append("the value is too long")
        elif re.search(r"\bat 0x|\"<", outcome.message):
            values.append("the value is an object without a plain form")
        else:
            told = json.loads(outcome.message)
            values.append(told if any(value not in (None, []) for value in told) else "the value is nothing")
    return values


def _deciding(tasks: Sequence[tuple[Draft, Task]], sandbox: Sandbox, drops: Counter[str]) -> list[tuple[Draft, Task]]:
    """The tasks whose own solution passes and whose trivial answers do not."""
    programs = [task.program(answer) for draft, task in tasks for answer in (draft.solution, *draft.wrong)]
    outcomes = iter(list(_bar(sandbox.run(programs), len(programs), "check")))
    kept: list[tuple[Draft, Task]] = []
    for draft, task in tasks:
        own, *wrong = [next(outcomes) for _ in range(1 + len(draft.wrong))]
        if not own.passed:
            drops[f"check: own solution fails, {own.kind}"] += 1
        elif any(one.passed for one in wrong):
            drops["check: a trivial answer passes"] += 1
        else:
            kept.append((draft, task))
    return kept


def _task(draft: Draft, values: list[Any]) -> Task:
    kept = [(p, v) for p, v in zip(draft.probes, values, strict=True) if v not in (None, [])]
    test = test_source(draft.entry_point, draft.setup, tuple(p for p, _ in kept), [v for _, v in kept])
    return Task(
        f"documentation/{draft.key}", draft.prompt, draft.entry_point, (draft.solution,), test, True, draft.intent
    )


def _record(draft: Draft, task: Task) -> dict[str, Any]:
    return {
        "task_id": task.task_id,
        "prompt": task.prompt,
        "entry_point": task.entry_point,
        "canonical_solution": list(task.canonical_solution),
        "test": task.test,
        "intent": task.intent,
        "source": draft.source,
        "path": draft.path,
        "unseen": draft.unseen,
        "holds": list(task.holds),
    }


def read_left_out() -> dict[str, str]:
    """Map the keys of `left_out.txt` to their reasons.

    Raises:
        CorpusError: A line is not `KEY reason`.
    """
    reasons: dict[str, str] = {}
    for number, line in enumerate(LEFT_OUT.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        key, _, reason = line.partition(" ")
        if not re.fullmatch(r"[0-9a-f]{8}", key) or not reason.strip():
            raise CorpusError(
                f"{LEFT_OUT.name}, line {number}: {line!r} is not a key and a reason",
                "what is left out cannot be told",
                "write the eight digits of the task's id, a space and why the task is no good",
            )
        reasons[key] = reason.strip()
    return reasons


def in_mixed_order(found: Sequence[Draft]) -> list[Draft]:
    """Unseen packages first, each part in an order that no file or package rules."""
    return sorted(found, key=lambda d: (not d.unseen, hashlib.blake2b(d.key.encode(), digest_size=8).digest()))


def _normal(code: str) -> str:
    source = code if not code.startswith("    ") else f"def f():\n{code}"
    return ast.unparse(ast.parse(source))


def _wire(code: str) -> str:
    """The sketch of an answer; empty for a function's body, which repeats no other."""
    if code.startswith("    "):
        return ""
    try:
        return sketch(code).wire
    except SketchError:
        return ""


def _versions(sandbox: Sandbox) -> str:
    return f"pandas {sandbox.facts['pandas']}, NumPy {sandbox.facts['numpy']}"


def _bar(outcomes: Any, total: int, what: str) -> Any:
    return tqdm(outcomes, what, total=total, unit="program", disable=None)
