"""Samples by the thousand: drawn by seed, run under every interpreter, kept only where all agree; then Parquet."""

from __future__ import annotations

import hashlib
import json
import random
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from cert_lsp.contract.sketch import sketch
from cert_lsp.errors import CorpusError, SketchError
from trainer.textbook.compose import compose
from trainer.textbook.families import SHARE, Families
from trainer.textbook.operations import Operation
from trainer.textbook.render import Sample, render, render_family
from trainer.textbook.sandbox import run
from trainer.textbook.writer import EXAMPLE, without_example

BATCH = 400
"""Samples that are drawn, and run in one process, at a time."""
_COMPOSED = 0.12
_HELD_OUT = 0.03
_HEAD_LIMIT = 1100


@dataclass
class Report:
    """What was made and what was dropped, and why."""

    kept: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    faults: dict[str, list[str]] = field(default_factory=dict)
    names: Counter[str] = field(default_factory=Counter)

    def drop(self, sample: Sample, reason: str, detail: str = "") -> None:
        """Count a dropped sample; up to two details per operation are kept to mend it by."""
        self.dropped[reason] += 1
        if detail:
            known = self.faults.setdefault(sample.operation.key, [])
            if len(known) < 2:
                known.append(f"{reason}: {detail}\n{sample.program.program}")


def samples(
    operations: Sequence[Operation],
    pythons: Sequence[Path],
    seed: int,
    contaminated,
    report: Report,
    families: Families | None = None,
) -> Iterator[tuple[Sample, str]]:
    """Endless checked samples with their sketches, the same for the same catalogue, seed, interpreters and families."""
    rng = random.Random(seed)
    seen: set[str] = set()
    idle = 0
    while idle < 3:
        drawn = _draw(operations, families, rng, report)
        batch = [sample for sample in drawn if _new(sample, seen, contaminated, report)]
        kept = 0
        for sample in _proven(batch, pythons, report):
            try:
                wire = sketch(sample.code, before=sample.line_prefix).wire
            except SketchError as error:
                report.drop(sample, "no sketch", str(error))
                continue
            report.kept[sample.operation.key] += 1
            report.names.update(set(re.findall(r"\.([a-z_]\w*)", sample.code)))
            kept += 1
            yield sample, wire
        idle = 0 if kept else idle + 1
    raise CorpusError(
        "the catalogue yields no new samples any more",
        "The corpus stays smaller than asked for",
        "Ask for fewer samples",
    )


def _draw(
    operations: Sequence[Operation], families: Families | None, rng: random.Random, report: Report
) -> Iterator[Sample]:
    order = [operation for operation in operations for _ in range(operation.weight)]
    rng.shuffle(order)
    drawn = 0
    for index in count():
        operation = order[index % len(order)]
        if rng.random() < _COMPOSED:
            operation = compose(operations, rng) or operation
        try:
            if families and rng.random() < SHARE:
                made = render_family(families.draw(operation, rng), rng)
            else:
                made = [render(operation, rng)]
        except (SyntaxError, KeyError, IndexError, ValueError) as error:
            made = []
            report.dropped["not rendered"] += 1
            report.faults.setdefault(operation.key, []).append(f"not rendered: {error!r}")
        yield from made
        drawn += max(1, len(made))
        if drawn >= BATCH:
            return


def _new(sample: Sample, seen: set[str], contaminated, report: Report) -> bool:
    key = hashlib.blake2b(f"{sample.head}\0{sample.code}".encode(), digest_size=8).hexdigest()
    twin = hashlib.blake2b(f"{sample.intent}\0{sample.code}".encode(), digest_size=8).hexdigest()
    if key in seen or twin in seen:
        report.drop(sample, "seen before")
    elif len(sample.head) > _HEAD_LIMIT:
        report.drop(sample, "too long")
    elif contaminated([sample.intent], sample.head.rpartition("\n")[2] + sample.code):
        report.drop(sample, "in the evaluation")
    else:
        seen.update((key, twin))
        return True
    return False


def _proven(batch: list[Sample], pythons: Sequence[Path], report: Report) -> Iterator[Sample]:
    """The samples whose programs run under every interpreter; examples filled in from the first one's values."""
    text: dict[int, str] = {}
    for python in pythons:
        left = []
        for sample, verdict in zip(batch, run(python, [sample.program for sample in batch]), strict=True):
            if verdict.ok:
                text.setdefault(id(sample), verdict.text)
                left.append(sample)
            else:
                report.drop(sample, verdict.reason, verdict.text or verdict.reason)
        batch = left
    for sample in batch:
        sample.head = _with_example(sample.head, text[id(sample)])
        yield sample


def _with_example(head: str, value: str) -> str:
    """Put the value in its place, over several lines if it has them and stands alone; leave it out if it is long."""
    place = next((line for line in head.split("\n") if EXAMPLE in line), None)
    if place is None:
        return head
    lines = value.rstrip().split("\n")
    margin, alone = place[: len(place) - len(place.lstrip(" #"))], place.strip(" #") == EXAMPLE
    if not value.strip() or len(lines) > (6 if alone else 1) or max(map(len, lines)) > 60:
        return without_example(head)
    if not alone:
        return head.replace(EXAMPLE, lines[0])
    if len(lines) == 1 and len(lines[0]) < 50:
        return head.replace(EXAMPLE, f"-> {lines[0]}")
    return head.replace(EXAMPLE, "\n".join(["expected:", *(f"{margin}{line}" for line in lines)]))


def write(
    out: Path,
    operations: Sequence[Operation],
    pythons: Sequence[Path],
    wanted: int,
    seed: int,
    contaminated,
    families: Families | None = None,
) -> Report:
    """Write train.parquet, heldout.parquet, report.json and report.md to `out`; fewer samples where no new ones come.

    With `families` most draws are several samples that ask of the same data.

    Raises:
        CorpusError: If there is not one sample.
    """
    report = Report()
    rows: dict[str, list[dict[str, str]]] = {"train": [], "heldout": []}
    split = random.Random(f"{seed}/split")
    source = samples(operations, pythons, seed, contaminated, report, families)
    part, family = "", None
    with tqdm(total=wanted, desc="textbook", unit="sample", smoothing=0.05) as bar:
        try:
            for _, (sample, wire) in zip(range(wanted), source, strict=False):
                if sample.family is None or sample.family is not family:
                    part, family = "heldout" if split.random() < _HELD_OUT else "train", sample.family
                rows[part].append(
                    {
                        "head": sample.head,
                        "code": sample.code,
                        "sketch": wire,
                        "kind": sample.operation.book,
                        "source": sample.operation.book,
                        "path": sample.operation.key,
                        "split": part,
                        "license": "own",
                    }
                )
                bar.update()
        except CorpusError as error:
            if not any(rows.values()):
                raise
            sys.stderr.write(f"python -m trainer textbook: {error}\n")
    out.mkdir(parents=True, exist_ok=True)
    for part, records in rows.items():
        pq.write_table(pa.Table.from_pylist(records), out / f"{part}.parquet", compression="zstd")
    _write_report(out, report, operations, {part: len(records) for part, records in rows.items()})
    return report


def _write_report(out: Path, report: Report, operations: Sequence[Operation], sizes: dict[str, int]) -> None:
    without = [operation.key for operation in operations if not report.kept[operation.key]]
    figures = {
        "samples": sizes,
        "operations": len(operations),
        "phrasings": sum(len(lines) for operation in operations for lines in operation.say.values()),
        "operations_without_samples": without,
        "dropped": dict(report.dropped.most_common()),
        "samples_per_operation": dict(sorted(report.kept.items())),
        "version_pairs": {
            operation.key: [operation.old, operation.code[0]] for operation in operations if operation.old
        },
        "api_names": dict(report.names.most_common()),
        "faults": report.faults,
    }
    (out / "report.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    lines = [
        "# Textbook",
        "",
        f"{sizes['train']} samples to train on, {sizes['heldout']} held out; {len(operations)} operations, "
        f"{figures['phrasings']} phrasings, {len(report.names)} API names in the answers.",
        "",
        "| dropped because | samples |",
        "| --- | ---: |",
        *(f"| {reason} | {number} |" for reason, number in report.dropped.most_common()),
        "",
        f"Operations without a sample: {', '.join(without) or 'none'}.",
    ]
    (out / "report.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
