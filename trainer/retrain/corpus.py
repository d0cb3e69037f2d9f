"""Repositories to records: the general corpus's readers and filters, on a team's own files, secrets left out.

Files are dealt into buckets by their names' hashes, each a job of its own: any process can run it, and what it writes
is named after all that it depends on, the files' content and this code. So a build reads only buckets in which
something was edited, whether the last one was interrupted, or a branch was switched there and back. One pass over the
buckets in their order then drops what was seen before: the outcome does not depend on who ran what, and when. Memory
holds the hashes of the lines seen.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cert_lsp.contract.neighbours import FILE
from cert_lsp.errors import CorpusError
from trainer.retrain import neighbours
from trainer.retrain.feedback import kept
from trainer.retrain.repository import Repository

BUCKETS = 256
"""Jobs of a repository, at most: an edit of one file makes as many files be read again as share its bucket."""

_UNUSED_DAYS = 1
"""Age from which a shard that no build wants is deleted; a younger one may be another process's."""

RECORDS, REPORT = "records.parquet", "report.json"


@dataclass(frozen=True)
class Job:
    """A bucket of a repository's files, and where its records go."""

    name: str
    folder: Path
    members: tuple[str, ...]
    shard: Path


def jobs(repositories: Iterable[Repository], shards: Path) -> Iterator[Job]:
    """Deal the repositories' files into buckets, in a fixed order."""
    code = code_version()
    for repository in repositories:
        buckets: dict[int, list[str]] = {}
        for member in repository.members:
            name = member.encode("utf-8", "surrogateescape")
            buckets.setdefault(hashlib.blake2b(name, digest_size=8).digest()[0] % BUCKETS, []).append(member)
        for number in sorted(buckets):
            part = Repository(repository.name, repository.folder, tuple(buckets[number]))
            digest = hashlib.sha256(f"{code}\0{repository.name}\0{part.stamp()}".encode()).hexdigest()
            yield Job(repository.name, repository.folder, part.members, shards / f"{digest[:32]}.parquet")


def extract(job: Job) -> None:
    """Write the records of one bucket, and its counts beside them, unless they are there."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from trainer.corpus.build import records
    from trainer.corpus.readers import Source
    from trainer.retrain.secrets import reasons

    note = job.shard.with_suffix(".json")
    if note.is_file():
        return
    drops, files = Counter[str](), Counter[str]()
    found = list(records(Source(job.name, job.folder, members=job.members, own=True), drops, files))
    clean: list[dict[str, str]] = []
    told = reasons([f"{record['head']}{record['code']}\n{record['key']}" for record in found]) if found else []
    for record, reason in zip(found, told, strict=True):
        if reason:
            drops[reason] += 1
        else:
            clean.append(record)
    job.shard.parent.mkdir(parents=True, exist_ok=True)
    partial = job.shard.with_suffix(f".{os.getpid()}.partial")
    pq.write_table(pa.Table.from_pylist(clean, schema=_schema()), partial, compression="zstd")
    partial.replace(job.shard)
    counts = {"files": files.total(), "drops": dict(drops)}
    partial.write_text(json.dumps(counts), encoding="utf-8")
    partial.replace(note)  # the note last: it says that the shard is whole


def build(
    repositories: Sequence[Repository],
    drops: Counter[str],
    folder: Path,
    shards: Path,
    *,
    processes: int = 1,
    log: Path | None = None,
) -> dict[str, Any]:
    """Write `folder`/records.parquet, neighbours.jsonl.gz and report.json; returns what the latter says.

    Args:
        repositories: What to read.
        drops: What was left out already, by reason; goes into the report with the rest.
        folder: Where to write.
        shards: Where buckets are kept from one build to the next; several processes may use it at the same time.
        processes: How many buckets are read at a time.
        log: Of the completions that were kept (see `feedback`).

    Raises:
        CorpusError: No record came of it, or the log cannot be read.
    """
    from tqdm import tqdm

    todo = list(jobs(repositories, shards))
    missing = [job for job in todo if not job.shard.with_suffix(".json").is_file()]
    with tqdm(total=len(missing), desc="read", unit="bucket", disable=None) as bar:
        if processes > 1 and len(missing) > 1:
            with multiprocessing.get_context("spawn").Pool(min(processes, len(missing))) as pool:
                for _ in pool.imap_unordered(extract, missing):
                    bar.update()
        else:
            for job in missing:
                extract(job)
                bar.update()
    drops = Counter(drops)
    report = merge(todo, kept(log, drops) if log else [], drops, folder)
    if not report["records"]:
        raise CorpusError(
            f"nothing that says what code does was found in {report['files']} files",
            "there is nothing to learn",
            f"look at the reasons: {json.dumps(report['drops'])}",
        )
    _forget({job.shard.stem for job in todo}, shards)
    return report


def _forget(wanted: set[str], shards: Path) -> None:
    """Delete old shards that nobody wants any more."""
    oldest = time.time() - 86_400 * _UNUSED_DAYS
    for path in shards.iterdir():
        if path.name.partition(".")[0] not in wanted and path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)


def merge(todo: Sequence[Job], more: list[dict[str, str]], drops: Counter[str], folder: Path) -> dict[str, Any]:
    """Join the buckets in their order, and `more`, without repetitions; returns what report.json says.

    The neighbours of all records go beside them, for servers to look up.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from trainer.corpus.dedup import Seen

    kinds, sources, files = Counter[str](), Counter[str](), 0
    seen, last, reason = Seen(), "", ""
    with pq.ParquetWriter(folder / RECORDS, _schema(), compression="zstd") as writer:
        for job in (*todo, None):
            found = more
            if job:
                counts = json.loads(job.shard.with_suffix(".json").read_text(encoding="utf-8"))
                files += counts["files"]
                drops.update(counts["drops"])
                found = pq.read_table(job.shard).to_pylist()
            fresh: list[dict[str, str]] = []
            for record in found:
                if record["key"] != last:  # a pair's layouts come together and share its fate
                    last = record["key"]
                    reason = seen.reason(last)
                if reason:
                    drops[reason] += 1
                    continue
                fresh.append(record)
                kinds[record["kind"]] += 1
                sources[record["source"]] += 1
            if fresh:
                writer.write_table(pa.Table.from_pylist(fresh, schema=_schema()))
    neighbours.write(folder / FILE, read(folder / RECORDS))
    report = {
        "files": files,
        "records": kinds.total(),
        "kinds": dict(kinds.most_common()),
        "repositories": dict(sources.most_common()),
        "drops": dict(drops.most_common()),
    }
    (folder / REPORT).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return report


def read(records: Path) -> Iterator[dict[str, str]]:
    """Yield the records of a file, in its order."""
    import pyarrow.parquet as pq

    for batch in pq.ParquetFile(records).iter_batches():
        yield from batch.to_pylist()


def code_version() -> str:
    """A hash of the modules that make records: a changed filter makes them anew."""
    here = Path(__file__).parent
    digest = hashlib.sha256()
    own = [here / f"{name}.py" for name in ("corpus", "feedback", "repository", "secrets")]
    modules = [*(here.parent / "corpus").glob("*.py"), *own]
    for module in sorted(modules):
        digest.update(module.read_bytes())
    return digest.hexdigest()


def _schema() -> Any:
    import pyarrow as pa

    from trainer.corpus.build import COLUMNS

    return pa.schema([(name, pa.string()) for name in (*COLUMNS, "key")])
