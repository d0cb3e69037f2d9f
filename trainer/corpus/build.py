"""Sources to `train.parquet`, `heldout.parquet` and a report.

Each source becomes one shard of candidate records (two processes at most); a shard is kept and not made again while
its source file and the corpus code are the same. Then one pass over the shards, in the order of the sources, drops what
was seen before and writes the splits. Memory holds one source's records and the hashes of the lines seen.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import json
import multiprocessing
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from cert_lsp.contract.prompt import PROMPT_VERSION
from cert_lsp.contract.sketch import SKETCH_VERSION, sketch
from cert_lsp.errors import CorpusError, SketchError
from trainer.corpus.decontaminate import OWN_SUITES, is_contaminated
from trainer.corpus.dedup import Seen
from trainer.corpus.extract import scripts
from trainer.corpus.layout import lay_outs
from trainer.corpus.pairs import Pair, pairs
from trainer.corpus.readers import Source, licence, read
from trainer.corpus.script import Script

SPLITS = ("train", "heldout")
COLUMNS = ("head", "code", "sketch", "kind", "source", "path", "split", "license")
_SCHEMA = pa.schema([(name, pa.string()) for name in COLUMNS])
_SHARD = pa.schema([*((name, pa.string()) for name in COLUMNS), ("key", pa.string())])


@dataclass
class Built:
    """What came of a build: records and drops by reason, and a few records to look at."""

    kinds: Counter[str]
    sources: Counter[str]
    splits: Counter[str]
    drops: Counter[str]
    files: int
    samples: list[dict[str, str]]


def build(sources: Iterable[Source], folder: Path, *, processes: int = 2) -> Built:
    """Write the corpus of `sources` into `folder`.

    Raises:
        CorpusError: A source cannot be opened, or holds no file that could hold pairs.
    """
    shards = folder / "shards"
    shards.mkdir(parents=True, exist_ok=True)
    code = _code_version()
    jobs = [(source, shards / f"{_shard_name(source)}.parquet", code) for source in sources]
    with multiprocessing.get_context("spawn").Pool(max(1, min(processes, len(jobs)))) as pool:
        for _ in tqdm(pool.imap_unordered(_shard, jobs), desc="extract", total=len(jobs), unit="source"):
            pass
    return _merge([(source, shard) for source, shard, _ in jobs], folder)


def _merge(jobs: list[tuple[Source, Path]], folder: Path) -> Built:
    """Drop what was seen before and write the splits, in the order of the sources."""
    built = Built(Counter(), Counter(), Counter(), Counter(), 0, [])
    rng = random.Random(0)
    seen, last, reason = Seen(), "", ""
    with contextlib.ExitStack() as stack:
        writers = {
            split: stack.enter_context(pq.ParquetWriter(folder / f"{split}.parquet.part", _SCHEMA, compression="zstd"))
            for split in SPLITS
        }
        for source, shard in tqdm(jobs, desc="dedup", unit="source"):
            counts = json.loads(shard.with_suffix(".json").read_text(encoding="utf-8"))
            if not counts["files"]:
                raise CorpusError(
                    f"{source.path} holds no Python file, notebook, .rst or .md file",
                    "no training records can be made of it",
                    "pass the folder that holds the code",
                )
            built.drops.update(counts["drops"])
            built.files += counts["files"]
            for batch in pq.ParquetFile(shard).iter_batches():
                kept: dict[str, list[dict[str, str]]] = {split: [] for split in SPLITS}
                for record in batch.to_pylist():
                    if (key := record.pop("key")) != last:  # a pair's layouts come together and share its fate
                        last, reason = key, seen.reason(key)
                    if reason:
                        built.drops[reason] += 1
                        continue
                    kept[record["split"]].append(record)
                    built.kinds[record["kind"]] += 1
                    built.sources[record["source"]] += 1
                    built.splits[record["split"]] += 1
                    _sample(built, record, rng)
                for split, batch_records in kept.items():
                    if not batch_records:  # `datasets` cannot read a file whose first row group is empty
                        continue
                    writers[split].write_table(pa.Table.from_pylist(batch_records, schema=_SCHEMA))
    for split in SPLITS:
        (folder / f"{split}.parquet.part").replace(folder / f"{split}.parquet")
    return built


def _sample(built: Built, record: dict[str, str], rng: random.Random, size: int = 40) -> None:
    """Reservoir sampling (Vitter 1985, algorithm R)."""
    if len(built.samples) < size:
        built.samples.append(record)
    elif (at := rng.randrange(sum(built.splits.values()))) < size:
        built.samples[at] = record


def records(source: Source, drops: Counter[str], files: Counter[str]) -> Iterator[dict[str, str]]:
    """Yield the candidate records of one source; `key` is what near-dedup compares."""
    declared = licence(source)
    for document in read(source, drops):
        files[document.format] += 1
        for script in scripts(document, drops):
            for pair in _pairs(script, drops):
                if is_contaminated(_texts(pair), "\n".join(statement.code for statement in pair.code)):
                    drops["contaminated"] += 1
                    continue
                for head, code in lay_outs(pair):
                    try:
                        wire = sketch(code, before=head.rpartition("\n")[2]).wire
                        (head + code).encode()
                    except (SketchError, UnicodeEncodeError):
                        drops["code: no sketch"] += 1
                        continue
                    yield {
                        "head": head,
                        "code": code,
                        "sketch": wire,
                        "kind": pair.kind,
                        "source": source.name,
                        "path": document.path,
                        "split": "heldout" if source.heldout else "train",
                        "license": declared,
                        "key": "\n".join([pair.intent, *(s.code for s in pair.code)]),
                    }


def _texts(pair: Pair) -> list[str]:
    """All that the record says in words: the prose, whole and by lines, and strings, some of which are docstrings."""
    strings = [
        node.value
        for statement in (*pair.code, *pair.context)
        for node in ast.walk(statement.node)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    return [pair.prose, *pair.prose.split("\n"), pair.intent, pair.summary, *strings]


def _pairs(script: Script, drops: Counter[str]) -> Iterator[Pair]:
    try:
        yield from pairs(script, drops)
    except RecursionError:
        drops["script: nested too deeply"] += 1


def _shard(job: tuple[Source, Path, str]) -> None:
    """Write one source's candidates and counts, unless they are there for the same input and code."""
    source, path, code = job
    settings = {"source": str(source.path), "stamp": _stamp(source.path), "code": code} | {
        "sketch": SKETCH_VERSION,
        "prompt": PROMPT_VERSION,
        "heldout": source.heldout,
    }
    note = path.with_suffix(".json")
    if note.exists() and path.exists() and json.loads(note.read_text(encoding="utf-8")).get("settings") == settings:
        return
    note.unlink(missing_ok=True)
    drops: Counter[str] = Counter()
    files: Counter[str] = Counter()
    with pq.ParquetWriter(path, _SHARD, compression="zstd") as writer:
        batch: list[dict[str, str]] = []
        for record in records(source, drops, files):
            batch.append(record)
            if len(batch) == 1000:
                writer.write_table(pa.Table.from_pylist(batch, schema=_SHARD))
                batch = []
        writer.write_table(pa.Table.from_pylist(batch, schema=_SHARD))
    counts = {"settings": settings, "drops": dict(drops), "files": files.total()}
    note.write_text(json.dumps(counts, indent=1), encoding="utf-8")


def _shard_name(source: Source) -> str:
    """Archives are told apart by their file names, folders by their paths."""
    if not source.path.is_dir():
        return source.path.name
    return f"{source.name}-{hashlib.blake2b(str(source.path).encode(), digest_size=4).hexdigest()}"


def _stamp(path: Path) -> str:
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    digest = hashlib.sha256()
    for file in files:
        if file.is_file():
            status = file.stat()
            digest.update(f"{file} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _code_version() -> str:
    """A hash of this package's modules and of our suites: a changed filter makes every shard anew."""
    digest = hashlib.sha256()
    for module in [*sorted(Path(__file__).parent.glob("*.py")), *OWN_SUITES]:
        digest.update(module.read_bytes())
    return digest.hexdigest()
