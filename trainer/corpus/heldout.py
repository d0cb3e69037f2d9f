"""Held-out records as pairs to judge by: `python -m evals` reads them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pyarrow.parquet as pq

PAIRS = "pairs.jsonl"


def write_pairs(records: Path, out: Path) -> None:
    """Write each code of a file once, in its first layout, where words ask for it.

    Args:
        records: heldout.parquet.
        out: The file of pairs, JSON Lines (format: `evals.pairs`).
    """
    seen: set[str] = set()
    with pq.ParquetFile(records) as table, out.open("w", encoding="utf-8") as file:
        for batch in table.iter_batches():
            for record in batch.to_pylist():
                digest = hashlib.blake2b(record["code"].encode("utf-8", "replace"), digest_size=8).hexdigest()
                name = f"{record['path']}#{digest}"
                if record["kind"] == "block" or name in seen:  # nobody spoke of a block
                    continue
                seen.add(name)
                pair = {"id": name, **{key: record[key] for key in ("head", "code", "sketch")}}
                file.write(json.dumps(pair) + "\n")
