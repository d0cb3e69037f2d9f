"""The pieces in which a corpus is made: an archive each, or a thousand files of a folder.

    OUT/shards/list.json        names of the shards, in the order of their sources
    OUT/shards/NAME.job         what is to be read
    OUT/shards/NAME.parquet     the candidate records
    OUT/shards/NAME.npz         what near-dedup knows of their pairs (dedup.Print), and how many records each pair has
    OUT/shards/NAME.npy         the same hashes sorted, each once for every pair
    OUT/shards/NAME.json        counts, and from what the shard was made; written last

A shard is made again only when its files or the corpus code have changed. Whoever makes it holds a thousand records.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import pickle
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from cert_lsp.contract.prompt import PROMPT_VERSION
from cert_lsp.contract.sketch import SKETCH_VERSION
from trainer.corpus.decontaminate import OWN_SUITES
from trainer.corpus.dedup import Print, fingerprint
from trainer.corpus.readers import Source, members
from trainer.corpus.records import COLUMNS, records

PART = 1_000
"""Files of a folder in one shard."""

SCHEMA = pa.schema([(name, pa.string()) for name in COLUMNS])
_BATCH = 1_000


class Shards:
    """The shards of one corpus, by number."""

    def __init__(self, folder: Path) -> None:
        """Open those that were planned in `folder`."""
        self._folder = folder
        self._names: list[str] = json.loads((folder / "list.json").read_text(encoding="utf-8"))

    def __len__(self) -> int:
        return len(self._names)

    def path(self, number: int, ending: str) -> Path:
        """One of a shard's files."""
        return self._folder / f"{self._names[number]}{ending}"

    def source(self, number: int) -> Source:
        """What the shard is made from."""
        return pickle.loads(self.path(number, ".job").read_bytes())

    def counts(self, number: int) -> dict[str, Any]:
        """Files read, and drops by reason."""
        return json.loads(self.path(number, ".json").read_text(encoding="utf-8"))

    def hashes(self) -> Iterator[NDArray[np.uint64]]:
        """Every shard's sorted hashes, mapped into memory."""
        for number in range(len(self)):
            path = self.path(number, ".npy")
            yield np.load(path, mmap_mode="r" if path.stat().st_size > 4096 else None)

    def make(self, number: int) -> None:
        """Write a shard, unless it is there for the same files and code."""
        source = self.source(number)
        made_from = {"source": str(source.path), "stamp": _stamp(source), "code": _code_version()} | {
            "sketch": SKETCH_VERSION,
            "prompt": PROMPT_VERSION,
            "heldout": source.heldout,
        }
        note = self.path(number, ".json")
        if note.exists() and self.counts(number)["settings"] == made_from:
            return
        note.unlink(missing_ok=True)
        drops: Counter[str] = Counter()
        files: Counter[str] = Counter()
        prints = _Prints()
        with pq.ParquetWriter(self.path(number, ".parquet"), SCHEMA, compression="zstd") as writer:
            made = prints.watch(records(source, drops, files))
            while batch := list(itertools.islice(made, _BATCH)):
                writer.write_table(pa.Table.from_pylist(batch, schema=SCHEMA))
        prints.write(self.path(number, ".npz"), self.path(number, ".npy"))
        counts = {"settings": made_from, "drops": dict(drops), "files": files.total()}
        note.write_text(json.dumps(counts, indent=1), encoding="utf-8")


def plan(sources: Iterable[Source], folder: Path) -> Shards:
    """Cut the sources into shards and write down what each is to read."""
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for source in sources:
        for name, part in _parts(source):
            (folder / f"{name}.job").write_bytes(pickle.dumps(part))
            names.append(name)
    (folder / "list.json").write_text(json.dumps(names), encoding="utf-8")
    return Shards(folder)


def _parts(source: Source) -> Iterator[tuple[str, Source]]:
    """Archives are told apart by their file names, folders by their paths."""
    if not source.path.is_dir():
        yield source.path.name, source
        return
    name = f"{source.name}-{hashlib.blake2b(str(source.path).encode(), digest_size=4).hexdigest()}"
    found = members(source)
    for number in itertools.count():
        part = tuple(itertools.islice(found, PART))
        if part or not number:
            yield f"{name}-{number:05d}", Source(source.name, source.path, source.heldout, part)
        if len(part) < PART:
            return


class _Prints:
    """The fingerprints of the pairs whose records go by."""

    def __init__(self) -> None:
        self._prints: list[Print] = []
        self._records: list[int] = []

    def watch(self, made: Iterable[dict[str, str]]) -> Iterator[dict[str, str]]:
        """Take the keys off records; a pair's layouts come together and share its fate."""
        for key, layouts in itertools.groupby(made, key=lambda record: record.pop("key")):
            self._prints.append(fingerprint(key))
            self._records.append(0)
            for record in layouts:
                self._records[-1] += 1
                yield record

    def write(self, pairs: Path, hashes: Path) -> None:
        told = [{each.whole, each.code, *each.lines} for each in self._prints]
        np.savez(
            pairs,
            whole=np.array([each.whole for each in self._prints], np.uint64),
            code=np.array([each.code for each in self._prints], np.uint64),
            lines=np.array([line for each in self._prints for line in each.lines], np.uint64),
            count=np.array([len(each.lines) for each in self._prints], np.int64),
            records=np.array(self._records, np.int64),
        )
        np.save(hashes, np.sort(np.array([each for pair in told for each in pair], np.uint64)))


def _stamp(source: Source) -> str:
    files = [source.path] if source.members is None else [source.path / member for member in source.members]
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
