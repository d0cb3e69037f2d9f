"""Records to train on, and pairs held out to judge by: whole files, and nothing in them that was trained on.

Files are held out in the order of their names' hashes, so that a file stays on its side while the repository grows.
What is held out and resembles something that is trained on (more than 65 % of its lines of code stand there, in
whatever file) is dropped: it would measure memory.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

from cert_lsp.contract.neighbours import FILE
from cert_lsp.errors import CorpusError
from trainer.corpus.dedup import SEEN_SHARE
from trainer.retrain import neighbours
from trainer.retrain.corpus import RECORDS, read

SHARE = 0.2
LEAST = 10
"""Pairs: an interval from fewer says nothing."""

PAIRS, REPORT = "pairs.jsonl", "split.json"


def split(corpus: Path, out: Path, *, most: int) -> dict[str, Any]:
    """Write train.parquet, heldout.parquet, pairs.jsonl (at most `most`), neighbours.jsonl.gz and split.json.

    The neighbours are those of the records to train on, so that the pairs can judge what looking them up is worth.

    Raises:
        CorpusError: Too few pairs could be held out.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from trainer.corpus.build import COLUMNS

    records = corpus / RECORDS
    chosen = _files_to_hold_out(records, most)
    lines: set[bytes] = set()
    for record in read(records):
        if _file(record) not in chosen:
            lines.update(_code_lines(record))
    schema = pa.schema([(name, pa.string()) for name in COLUMNS])
    counts: Counter[str] = Counter()
    pairs: dict[str, dict[str, str]] = {}
    with (
        pq.ParquetWriter(out / "train.parquet", schema, compression="zstd") as train,
        pq.ParquetWriter(out / "heldout.parquet", schema, compression="zstd") as heldout,
    ):
        batch: dict[str, list[dict[str, str]]] = {"train": [], "heldout": []}
        for record in read(records):
            side = "heldout" if _file(record) in chosen else "train"
            if side == "heldout":
                found = _code_lines(record)
                if sum(line in lines for line in found) > SEEN_SHARE * len(found):
                    counts["held out, but like something trained on"] += 1
                    continue
                if record["kind"] not in neighbours.NOT_ASKED:
                    _add(pairs, record)
            counts[side] += 1
            batch[side].append({**{name: record[name] for name in COLUMNS}, "split": side})
        for writer, side in ((train, "train"), (heldout, "heldout")):
            writer.write_table(pa.Table.from_pylist(batch[side], schema=schema))
    judged = sorted(pairs.values(), key=lambda pair: _digest(pair["id"]))[:most]
    if len(judged) < LEAST or not counts["train"]:
        raise CorpusError(
            f"only {len(judged)} pairs could be held out, and {counts['train']} records be trained on",
            f"from fewer than {LEAST} pairs nobody can tell whether the new model is better",
            "name more repositories by --repo",
        )
    neighbours.write(out / FILE, (each for each in read(records) if _file(each) not in chosen))
    (out / PAIRS).write_text("".join(json.dumps(pair) + "\n" for pair in judged), encoding="utf-8")
    report = {**counts, "pairs": len(judged), "files held out": len(chosen)}
    (out / REPORT).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return report


def _files_to_hold_out(records: Path, most: int) -> set[str]:
    """Files, in the order of their hashes, until they hold a fifth of the pairs, or half again what is judged."""
    pairs: Counter[str] = Counter()
    keys: set[bytes] = set()
    for record in read(records):
        key = _digest(record["key"])
        if record["kind"] not in neighbours.NOT_ASKED and key not in keys:
            keys.add(key)
            pairs[_file(record)] += 1
    wanted = min(SHARE * pairs.total(), 1.5 * most)
    chosen: set[str] = set()
    held = 0
    for file in sorted(pairs, key=_digest):
        if held >= wanted or len(chosen) + 1 >= len(pairs):
            break
        chosen.add(file)
        held += pairs[file]
    return chosen


def _add(pairs: dict[str, dict[str, str]], record: dict[str, str]) -> None:
    """Take a pair in, in one of its layouts."""
    name = f"{_file(record)}#{_digest(record['key']).hex()}"
    pairs.setdefault(
        record["key"],
        {"id": name, "head": record["head"], "code": record["code"], "sketch": record["sketch"]},
    )


def _file(record: dict[str, str]) -> str:
    return f"{record['source']}/{record['path']}"


def _code_lines(record: dict[str, str]) -> list[bytes]:
    """Hashes of the lines of a pair's code, without its intent."""
    lines = record["key"].split("\n")[1:]
    return [_digest(" ".join(line.split())) for line in lines if any(map(str.isalnum, line))]


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
