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
    pairs: dict[tuple[str, str], dict[str, str]] = {}
    for record in pq.read_table(records).to_pylist():
        path, code = record["path"], record["code"]
        if record["kind"] != "block":  # nobody spoke of it
            name = f"{path}#{hashlib.blake2b(code.encode('utf-8', 'replace'), digest_size=8).hexdigest()}"
            pairs.setdefault((path, code), {"id": name, **{key: record[key] for key in ("head", "code", "sketch")}})
    out.write_text("".join(json.dumps(pair) + "\n" for pair in pairs.values()), encoding="utf-8")
