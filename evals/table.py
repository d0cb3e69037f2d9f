"""Rows of a rows file -> one JSON file and one Markdown file, and the README's table between its markers.

Everything slow is kept: samples by `generate`, outcomes, judgements by stubs and judged pairs each in files beside
them, with what they depend on. So an interrupted table goes on where it stopped, and a row more costs that row.

    OUT/<row>/<suite>/samples.jsonl ...           what `python -m evals run` writes
    OUT/<row>/<suite>/outcomes.<pandas>.json      how each sample went, under each interpreter
    OUT/<row>/<suite>/stubs.json                  which samples the type stubs fault
    OUT/<row>/pairs/                              what `evals.pairs` writes
"""

import hashlib
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any

from cert_lsp.contract.bundle import EMBEDDED
from cert_lsp.engine.api_index import UNKNOWN
from cert_lsp.errors import EvalError
from evals.existence import fails_for_missing_api, faulted_by_stubs, stubs_version
from evals.generate import SAMPLES, Sample, generate, read_samples, settings_of
from evals.pairs import RESULTS, judge_pairs, mean_figures, read_judged, read_pairs
from evals.rows import Column, Row, Rows
from evals.sandbox import Outcome, Sandbox
from evals.score import KS, judge, pass_at_k
from evals.statistics import difference, interval
from evals.suite import Suite, Task, cut, load_suite


@dataclass(frozen=True)
class Ran:
    """What one row did with one suite.

    Attributes:
        samples: In the order of the tasks.
        outcomes: Versions ("pandas 1.5.3, NumPy 1.23.5") -> outcome of each sample.
        faulted: Whether the stubs fault each sample; None if there are no stubs.
    """

    samples: list[Sample]
    outcomes: dict[str, list[Outcome]]
    faulted: list[bool] | None


def make_table(rows: Rows, pythons: Sequence[Path], out: Path) -> dict[str, Any]:
    """Run what is missing and put the figures together.

    Args:
        rows: The rows file.
        pythons: Interpreters that score; the first one is the table's own.
        out: The folder of the results.

    Raises:
        EvalError: A model, suite or interpreter cannot be used, or `out` cannot be written.
    """
    suites = [load_suite(path) for path in rows.suites]
    ran = {row.name: {suite.name: _generated(row, suite, out) for suite in suites} for row in rows.rows}
    outcomes: dict[str, dict[str, dict[str, list[Outcome]]]] = {}
    for python in pythons:
        for row in rows.rows:
            for suite in suites:
                versions, found = _outcomes(python, suite, ran[row.name][suite.name], _folder(out, row, suite))
                outcomes.setdefault(row.name, {}).setdefault(suite.name, {})[versions] = found
    told: dict[str, Any] = {
        "tasks": {column.name: len(_tasks(column, suites)) for column in rows.columns},
        "versions": list(next(iter(next(iter(outcomes.values())).values()))),
        "stubs": stubs_version(),
        "rows": {},
        "published": list(rows.published),
        "missing": list(rows.missing),
    }
    scores: dict[str, dict[str, list[float]]] = {}
    for row in rows.rows:
        done = {
            suite.name: Ran(
                ran[row.name][suite.name],
                outcomes[row.name][suite.name],
                _faulted(suite, ran[row.name][suite.name], _folder(out, row, suite)),
            )
            for suite in suites
        }
        scores[row.name] = {column.name: _scores(column, suites, done, told["versions"][0]) for column in rows.columns}
        told["rows"][row.name] = {
            "settings": {**asdict(row), "bundle": str(row.bundle or "")},
            "columns": {column.name: _figures(column, suites, done) for column in rows.columns},
            "pairs": _pairs(row, rows.pairs, out),
        }
    told["differences"] = [
        {
            "one": pair.one,
            "other": pair.other,
            "columns": {
                c.name: asdict(difference(scores[pair.one][c.name], scores[pair.other][c.name])) for c in rows.columns
            },
        }
        for pair in rows.differences
    ]
    return told


def _generated(row: Row, suite: Suite, out: Path) -> list[Sample]:
    """The row's samples of a suite, drawn if they are missing."""
    folder = _folder(out, row, suite)
    path = folder / SAMPLES
    wanted = {(task.task_id, n) for task in suite.tasks for n in range(row.samples)}
    drawn = {(s.task_id, s.sample): s for s in read_samples(path)} if path.is_file() else {}
    if not wanted <= set(drawn) or not (folder / "settings.json").is_file():
        from cert_lsp.engine.knowledge import KNOWLEDGE
        from cert_lsp.engine.pipeline import Engine  # heavy; a table of kept samples does without

        sys.stderr.write(f"{row.name}: {suite.name}\n")
        without = _without(row)
        engine = Engine.open(row.bundle, threads=1, knows=KNOWLEDGE - without)
        generate(engine, [suite], row.decoding, row.samples, folder, without, row.versions)
        drawn = {(s.task_id, s.sample): s for s in read_samples(path)}
    else:
        _check_settings(row, suite, folder)
    return [drawn[task.task_id, n] for task in suite.tasks for n in range(row.samples)]


def _without(row: Row) -> frozenset[str]:
    """What of the server's helps a row does not have."""
    if row.knows is None:
        return frozenset()
    from cert_lsp.engine.knowledge import KNOWLEDGE

    if unknown := set(row.knows) - KNOWLEDGE:
        raise EvalError(
            f"The row {row.name!r} names a help that there is not: {', '.join(sorted(unknown))}",
            "It is not run",
            f"Choose of {', '.join(sorted(KNOWLEDGE))}",
        )
    return KNOWLEDGE.difference(row.knows)


def _check_settings(row: Row, suite: Suite, folder: Path) -> None:
    """Refuse kept samples of another suite or decoding, as `generate` does where it draws any."""
    settings = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
    wanted = settings_of([suite], row.decoding, _without(row), row.versions)
    if settings | wanted != settings or settings.keys() - wanted != {"bundle"}:
        raise EvalError(
            f"{folder} holds samples of another state of {suite.name}, or drawn otherwise",
            "They are not mixed",
            "Name another --out, or remove that folder",
        )


def _outcomes(python: Path, suite: Suite, samples: Sequence[Sample], folder: Path) -> tuple[str, list[Outcome]]:
    """The versions that an interpreter has, and how each sample goes there; from the file if it was done before."""
    digest = _digest(suite, samples)
    with Sandbox(python) as sandbox:
        versions = f"pandas {sandbox.facts['pandas']}, NumPy {sandbox.facts['numpy']}"
        path = folder / f"outcomes.{re.sub(r'[^0-9.]+', '-', versions).strip('-')}.json"
        if (kept := _kept(path, digest)) is not None:
            return versions, [Outcome(**one) for one in kept]
        results = judge([suite], samples, sandbox)
    found = [result.outcome for result in results]
    _keep(path, digest, [asdict(one) for one in found])
    return versions, found


def _faulted(suite: Suite, samples: Sequence[Sample], folder: Path) -> list[bool] | None:
    """Whether the stubs fault each sample; None without stubs."""
    if not (stubs := stubs_version()):
        return None
    path, digest = folder / "stubs.json", f"{_digest(suite, samples)} pandas-stubs {stubs}"
    if (kept := _kept(path, digest)) is not None:
        return kept
    tasks = {task.task_id: task for task in suite.tasks}
    programs = {str(n): (tasks[s.task_id].prompt, cut(s.completion)) for n, s in enumerate(samples)}
    faulted = faulted_by_stubs(programs)
    found = [str(n) in faulted for n in range(len(samples))]
    _keep(path, digest, found)
    return found


def _pairs(row: Row, path: Path | None, out: Path) -> dict[str, float] | None:
    """Mean figures over held-out pairs, for greedy rows with all that the server knows; None where there are none.

    Without the file of the pairs, what was judged before is taken.
    """
    if path is None or row.temperature or row.candidates > 1 or row.knows is not None or row.versions != UNKNOWN:
        return None
    folder = out / _slug(row.name) / "pairs"
    if path.is_file():
        bundle = row.bundle or EMBEDDED
        judged = judge_pairs(None, bundle, read_pairs(path), folder, mode=row.mode)
    else:
        judged = read_judged(folder / RESULTS) if (folder / RESULTS).is_file() else []
    return {"pairs": len(judged), **mean_figures(judged)} if judged else None


def _scores(column: Column, suites: Sequence[Suite], done: dict[str, Ran], versions: str) -> list[float]:
    """pass@1 of each task of a column, in order."""
    return [pass_at_k(len(several), sum(several), 1) for several in _passes(column, suites, done, versions)]


def _passes(column: Column, suites: Sequence[Suite], done: dict[str, Ran], versions: str) -> list[list[bool]]:
    """Whether each sample of each task of a column passed."""
    passed: dict[str, list[bool]] = {}
    for suite in suites:
        one = done[suite.name]
        for sample, outcome in zip(one.samples, one.outcomes[versions], strict=True):
            passed.setdefault(sample.task_id, []).append(outcome.passed)
    return [passed[task.task_id] for task in _tasks(column, suites)]


def _figures(column: Column, suites: Sequence[Suite], done: dict[str, Ran]) -> dict[str, Any]:
    """A column's figures for one row."""
    wanted = {task.task_id for task in _tasks(column, suites)}
    told: dict[str, Any] = {"versions": {}}
    for versions in next(iter(done.values())).outcomes:
        passes = _passes(column, suites, done, versions)
        missing = [
            fails_for_missing_api(outcome, sample.completion)
            for one in done.values()
            for sample, outcome in zip(one.samples, one.outcomes[versions], strict=True)
            if sample.task_id in wanted
        ]
        told["versions"][versions] = {
            "pass@1": asdict(interval([pass_at_k(len(p), sum(p), 1) for p in passes])),
            **{f"pass@{k}": fmean(pass_at_k(len(p), sum(p), k) for p in passes) for k in KS[1:] if k <= len(passes[0])},
            "passed": sum(any(p) for p in passes),
            "missing_api": fmean(missing),
        }
    samples = [(s, n, one) for one in done.values() for n, s in enumerate(one.samples) if s.task_id in wanted]
    faults = [one.faulted[n] for _, n, one in samples if one.faulted is not None]
    told["missing_by_stubs"] = fmean(faults) if faults else None
    told["milliseconds"] = median(sample.milliseconds for sample, _, _ in samples)
    return told


def _tasks(column: Column, suites: Sequence[Suite]) -> list[Task]:
    chosen = [task for suite in suites if suite.name in column.suites for task in suite.tasks]
    return [task for task in chosen if task.unseen or not column.unseen]


def _folder(out: Path, row: Row, suite: Suite) -> Path:
    return out / _slug(row.name) / suite.name


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _digest(suite: Suite, samples: Sequence[Sample]) -> str:
    answers = json.dumps([(sample.task_id, sample.sample, sample.completion) for sample in samples])
    return hashlib.sha256(f"{suite.sha256}\n{answers}".encode()).hexdigest()


def _kept(path: Path, digest: str) -> Any:
    """What an earlier run kept for the same input, or None."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content["found"] if content.get("of") == digest else None


def _keep(path: Path, digest: str, found: Any) -> None:
    path.write_text(json.dumps({"of": digest, "found": found}) + "\n", encoding="utf-8")
