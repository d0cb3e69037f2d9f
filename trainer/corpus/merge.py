"""The shards' records to the splits: one pass in the order of the sources, which drops what was seen before.

It looks at hashes alone to decide, and hands whole tables on; the time it takes is a small part of the making.
"""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from cert_lsp.errors import CorpusError
from trainer.corpus import report
from trainer.corpus.dedup import Kept
from trainer.corpus.heldout import PAIRS, write_pairs
from trainer.corpus.report import Built
from trainer.corpus.shards import SCHEMA, Shards

SPLITS = ("train", "heldout")
_ROWS = 20_000
"""Least number of rows that are written at a time."""


def merge(shards: Shards, repeated: NDArray[np.uint64], folder: Path) -> None:
    """Write `folder`/train.parquet, heldout.parquet, its pairs and the reports.

    Args:
        shards: All of them made.
        repeated: The hashes that occur in more than one pair, sorted.
        folder: Where to write.

    Raises:
        CorpusError: A source holds no file that could hold pairs.
    """
    built, judge, rng = Built(), _Judge(repeated), random.Random(0)
    files: Counter[Path] = Counter()
    with contextlib.ExitStack() as stack:
        writers = {split: stack.enter_context(Writer(folder / f"{split}.parquet", SCHEMA)) for split in SPLITS}
        for number in range(len(shards)):
            counts = shards.counts(number)
            files[shards.source(number).path] += counts["files"]
            built.drops.update(counts["drops"])
            keep = judge.keep(dict(np.load(shards.path(number, ".npz"))), built.drops)
            table = pq.read_table(shards.path(number, ".parquet")).filter(pa.array(keep))
            for split in SPLITS:
                writers[split].write(table.filter(pc.equal(table["split"], split)))
            for name, counted in (("kind", built.kinds), ("source", built.sources), ("split", built.splits)):
                for pair in pc.value_counts(table[name]).to_pylist():
                    counted[pair["values"]] += pair["counts"]
            _sample(built, table, rng)
        built.files = files.total()
        if nothing := [path for path, count in files.items() if not count]:
            raise CorpusError(
                f"{nothing[0]} holds no Python file, notebook, .rst or .md file",
                "no training records can be made of it",
                "pass the folder that holds the code",
            )
    write_pairs(folder / "heldout.parquet", folder / PAIRS)
    report.write(built, folder)


class _Judge:
    """Decides pair by pair what is kept."""

    def __init__(self, repeated: NDArray[np.uint64]) -> None:
        self._repeated, self._kept = repeated, Kept(len(repeated))
        self._last, self._reason = -1, ""

    def keep(self, pairs: dict[str, NDArray], drops: Counter[str]) -> NDArray[np.bool_]:
        """Whether each record of a shard's pairs is kept; the others are counted in `drops`."""
        wholes, codes, lines = (self._numbers(pairs[name]) for name in ("whole", "code", "lines"))
        kept = np.zeros(len(wholes), np.bool_)
        start = 0
        for at, (told, count, records) in enumerate(
            zip(*(pairs[name].tolist() for name in ("whole", "count", "records")), strict=True)
        ):
            if told != self._last:  # a pair that is told twice in a row, at the border of two shards, is one
                known = [line for line in lines[start : start + count] if line is not None]
                self._last, self._reason = told, self._kept.reason(wholes[at], codes[at], known, count)
            start += count
            kept[at] = not self._reason
            if self._reason:
                drops[self._reason] += records
        return np.repeat(kept, pairs["records"])

    def _numbers(self, hashes: NDArray[np.uint64]) -> list[int | None]:
        """Places among the repeated hashes; None for the others."""
        if not len(self._repeated):
            return [None] * len(hashes)
        places = np.minimum(np.searchsorted(self._repeated, hashes), len(self._repeated) - 1)
        return np.where(self._repeated[places] == hashes, places.astype(object), None).tolist()


class Writer:
    """A Parquet file that appears when it is complete, in row groups of some size."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        """Write tables of `schema` to `path`."""
        self._schema, self._path, self._partial = schema, path, path.with_name(f"{path.name}.part")
        self._tables: list[pa.Table] = []

    def __enter__(self) -> Writer:
        """Open it."""
        self._writer = pq.ParquetWriter(self._partial, self._schema, compression="zstd")
        return self

    def write(self, table: pa.Table) -> None:
        """Add rows."""
        self._tables.append(table)
        if sum(map(len, self._tables)) >= _ROWS:
            self._flush()

    def _flush(self) -> None:
        table = pa.concat_tables(self._tables) if self._tables else self._schema.empty_table()
        self._tables = []
        if len(table):  # `datasets` cannot read a file whose first row group is empty
            self._writer.write_table(table)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Close it, and put it in its place unless something went wrong."""
        if kind is None:
            self._flush()
        self._writer.close()
        if kind is None:
            self._partial.replace(self._path)


def _sample(built: Built, table: pa.Table, rng: random.Random, size: int = 40) -> None:
    """Reservoir sampling (Vitter 1985, algorithm R) of the records that `built` counts by now, `table`'s the last."""
    before = built.splits.total() - len(table)
    for row in range(len(table)):
        at = before + row if before + row < size else rng.randrange(before + row + 1)
        if at < size:
            built.samples[at : at + 1] = table.slice(row, 1).to_pylist()
