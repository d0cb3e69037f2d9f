"""A share of general records is read again with the team's, so that what was known is not forgotten."""

from __future__ import annotations

import sys
from pathlib import Path

from cert_lsp.errors import CorpusError
from trainer.retrain.stages import Run

LEAST = 60


def wanted(team: int, share: float) -> int:
    """How many general records go with `team` records, so that they are `share` of all."""
    return max(LEAST, round(team * share / (1 - share))) if share else 0


def draw(general: Path, count: int, out: Path) -> None:
    """Write `count` records of a general corpus, always the same ones, to `out`/train.parquet.

    Raises:
        CorpusError: The corpus cannot be read, or is empty.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from trainer.corpus.build import COLUMNS

    try:
        file = pq.ParquetFile(general / "train.parquet")
    except (OSError, pa.ArrowInvalid) as error:
        raise CorpusError(
            f"{general} is no corpus: {error}", remedy="make one by `python -m trainer corpus`"
        ) from error
    total = file.metadata.num_rows
    if not total:
        raise CorpusError(f"{general} holds no record", remedy="name another by --general, or none")
    chosen = np.sort(np.random.default_rng(0).permutation(total)[:count])
    first, schema = 0, pa.schema([(name, pa.string()) for name in COLUMNS])
    with pq.ParquetWriter(out / "train.parquet", schema, compression="zstd") as writer:
        for batch in file.iter_batches(columns=list(COLUMNS)):
            here = chosen[(chosen >= first) & (chosen < first + len(batch))] - first
            writer.write_table(pa.Table.from_batches([batch.take(pa.array(here))]).cast(schema))
            first += len(batch)


def write_textbook(run: Run, count: int, out: Path, python: Path | None) -> None:
    """Write `count` textbook samples, each checked under `python`, to `out`."""
    run.program("trainer", "textbook", "--out", out, "--samples", count, "--python", python or sys.executable)
