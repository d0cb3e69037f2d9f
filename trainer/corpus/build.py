"""Sources to `train.parquet`, `heldout.parquet`, its pairs and a report, in three stages on any number of workers.

extract   a shard's files to its candidate records and their hashes (shards.py)
compare   a range of the hashes of all shards to those that occur more than once (dedup.repeated)
merge     one task: drops what was seen before, in the order of the sources, and writes the splits (merge.py)
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import numpy as np

from trainer.corpus import executor
from trainer.corpus.dedup import repeated
from trainer.corpus.executor import Stage, shared_out
from trainer.corpus.merge import merge
from trainer.corpus.place import Place
from trainer.corpus.readers import Source
from trainer.corpus.records import COLUMNS as COLUMNS
from trainer.corpus.records import records as records
from trainer.corpus.shards import Shards, plan

_SHARDS_A_RANGE = 256
"""Shards whose hashes are compared in the memory of one task: 100 MB of them where records are many."""


def build(sources: Iterable[Source], folder: Path, place: Place) -> bool:
    """Write the corpus of `sources` into `folder`, with `pairs.jsonl` of what is held out, and reports.

    Returns:
        Whether it is written; under Slurm the work is queued.

    Raises:
        CorpusError: A source cannot be opened, or holds no file that could hold pairs.
    """
    folder = folder.resolve()
    count = len(plan(sources, folder / "shards"))
    ranges = 1 + count // _SHARDS_A_RANGE
    stages = [
        shared_out("extract", partial(_extract, folder), count, place),
        shared_out("compare", partial(_compare, folder, ranges), ranges, place),
        Stage("merge", [partial(_merge, folder, ranges)], 1),
    ]
    return executor.run(stages, place, folder / "logs")


def _extract(folder: Path, number: int) -> None:
    Shards(folder / "shards").make(number)


def _compare(folder: Path, ranges: int, number: int) -> None:
    found = repeated(Shards(folder / "shards").hashes(), number, ranges)
    np.save(folder / "shards" / f"repeated-{number}.npy", found)


def _merge(folder: Path, ranges: int, *_: object) -> None:
    parts = [np.load(folder / "shards" / f"repeated-{number}.npy") for number in range(ranges)]
    merge(Shards(folder / "shards"), np.concatenate(parts), folder)
