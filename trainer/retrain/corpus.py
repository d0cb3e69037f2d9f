"""Repositories to records: the general corpus's readers and filters, on a team's own files, secrets left out.

Files are read in chunks, each a job of its own whose result lies on the disk before the next step needs it: an
interrupted build reads only what is missing, and a job can run in any process. One pass over the chunks in their order
then drops what was seen before, so that the outcome does not depend on who ran what. Memory holds the hashes of the
lines seen.
"""

from __future__ import annotations

import json
import multiprocessing
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cert_lsp.errors import CorpusError
from trainer.retrain.repository import Repository

CHUNK = 100
"""Files of one job."""

RECORDS, REPORT = "records.parquet", "report.json"


@dataclass(frozen=True)
class Job:
    """A chunk of a repository's files, and where its records go."""

    name: str
    folder: Path
    members: tuple[str, ...]
    shard: Path


def jobs(repositories: Iterable[Repository], shards: Path) -> Iterator[Job]:
    """Cut the repositories' files into chunks, numbered in their order."""
    number = 0
    for repository in repositories:
        for start in range(0, len(repository.members), CHUNK):
            members = repository.members[start : start + CHUNK]
            yield Job(repository.name, repository.folder, members, shards / f"{number:06d}.parquet")
            number += 1


def extract(job: Job) -> None:
    """Write the records of one chunk, and its counts beside them, unless they are there."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from trainer.corpus.build import records
    from trainer.corpus.readers import Source
    from trainer.retrain.secrets import reasons

    note = job.shard.with_suffix(".json")
    if note.is_file():
        return
    drops, files = Counter[str](), Counter[str]()
    found = list(records(Source(job.name, job.folder, members=job.members), drops, files))
    kept: list[dict[str, str]] = []
    told = reasons([f"{record['head']}{record['code']}\n{record['key']}" for record in found]) if found else []
    for record, reason in zip(found, told, strict=True):
        if reason:
            drops[reason] += 1
        else:
            kept.append(record)
    job.shard.parent.mkdir(parents=True, exist_ok=True)
    partial = job.shard.with_suffix(".partial")
    pq.write_table(pa.Table.from_pylist(kept, schema=_schema()), partial, compression="zstd")
    partial.replace(job.shard)
    counts = {"files": files.total(), "drops": dict(drops)}
    partial.write_text(json.dumps(counts), encoding="utf-8")
    partial.replace(note)  # the note last: it says that the shard is whole


def build(repositories: Sequence[Repository], drops: Counter[str], folder: Path, *, processes: int = 1) -> None:
    """Write `folder`/records.parquet and report.json.

    Args:
        repositories: What to read.
        drops: What was left out already, by reason; goes into the report with the rest.
        folder: Where to write; shards of an interrupted build of the same input are used again.
        processes: How many chunks are read at a time.

    Raises:
        CorpusError: No record came of it.
    """
    from tqdm import tqdm

    todo = list(jobs(repositories, folder / "shards"))
    with tqdm(total=len(todo), desc="read", unit=f"x{CHUNK} files", disable=None) as bar:
        if processes > 1 and len(todo) > 1:
            with multiprocessing.get_context("spawn").Pool(min(processes, len(todo))) as pool:
                for _ in pool.imap_unordered(extract, todo):
                    bar.update()
        else:
            for job in todo:
                extract(job)
                bar.update()
    report = merge(todo, drops, folder)
    if not report["records"]:
        raise CorpusError(
            f"no intent with pandas or NumPy code was found in {report['files']} files",
            "there is nothing to learn",
            f"look at the reasons: {json.dumps(report['drops'])}",
        )


def merge(todo: Sequence[Job], drops: Counter[str], folder: Path) -> dict[str, Any]:
    """Join the chunks in their order without repetitions; returns what report.json says."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from trainer.corpus.dedup import Seen

    drops = Counter(drops)
    kinds, sources, files = Counter[str](), Counter[str](), 0
    seen, last, reason = Seen(), "", ""
    with pq.ParquetWriter(folder / RECORDS, _schema(), compression="zstd") as writer:
        for job in todo:
            counts = json.loads(job.shard.with_suffix(".json").read_text(encoding="utf-8"))
            files += counts["files"]
            drops.update(counts["drops"])
            kept: list[dict[str, str]] = []
            for record in pq.read_table(job.shard).to_pylist():
                if record["key"] != last:  # a pair's layouts come together and share its fate
                    last = record["key"]
                    reason = seen.reason(last)
                if reason:
                    drops[reason] += 1
                    continue
                kept.append(record)
                kinds[record["kind"]] += 1
                sources[record["source"]] += 1
            if kept:
                writer.write_table(pa.Table.from_pylist(kept, schema=_schema()))
    report = {
        "files": files,
        "records": kinds.total(),
        "kinds": dict(kinds.most_common()),
        "repositories": dict(sources.most_common()),
        "drops": dict(drops.most_common()),
    }
    (folder / REPORT).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return report


def _schema() -> Any:
    import pyarrow as pa

    from trainer.corpus.build import COLUMNS

    return pa.schema([(name, pa.string()) for name in (*COLUMNS, "key")])
