"""Whole Python files for a base trained from scratch: cleaned, near-duplicates dropped, weighted, cut into pieces.

The first two of PyCodeGPT's strengths and what the third needs (Zan et al., 2022): the filters of quality.py, each
counted; one file of each cluster that MinHash finds alike (datatrove); a weight for each file from its repository's
stars, its tests and its functions, which `data.resample` of a training reads. Writes OUT/train.parquet,
OUT/heldout.parquet (one file in a hundred) and OUT/report.json. Nothing that is read is ever run.

  python -m trainer files --out runs/files --sdists runs/corpus/sdists
  python -m trainer files --out runs/files --folder /data/github --stars stars.tsv --executor slurm --partition cpu

Records are those of a role `plain`: an empty head, and a piece of a file as the code.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cert_lsp.errors import CorpusError
from trainer.corpus import place
from trainer.corpus.cli import add_sources, sources_of

if TYPE_CHECKING:
    import pyarrow as pa
    from datatrove.data import Document

PIECE = 2_000
"""Characters of a record: some 700 tokens of a tokenizer for Python, so that hardly any is longer than a window."""
HELD_OUT_IN = 100
_CONTAMINATED = "records of an evaluation suite"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `python -m trainer files`."""
    add_sources(parser)
    parser.add_argument(
        "--stars", type=Path, metavar="FILE", help="lines of a source's name, a tab and its stars (default: 0 for all)"
    )
    place.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Write the files' corpus; returns the exit status."""
    from datatrove.pipeline.dedup import MinhashDedupBuckets, MinhashDedupCluster
    from datatrove.pipeline.dedup.minhash import MinhashConfig

    from trainer.corpus import executor
    from trainer.corpus.executor import Stage
    from trainer.corpus.shards import plan

    out = args.out.resolve()
    stars = _read_stars(args.stars) if args.stars else {}
    count = len(plan(sources_of(args), out / "shards"))
    near = {name: str(out / "minhash" / name) for name in ("signatures", "pairs", "clusters")}
    # A task's number is part of a document's name here, so that there are as many tasks as shards, whoever does them.
    stages = [
        Stage("read", [partial(_read, out, stars), partial(_sign, near["signatures"])], count),
        Stage("compare", [MinhashDedupBuckets(near["signatures"], near["pairs"])], MinhashConfig().num_buckets),
        Stage("cluster", [MinhashDedupCluster(near["pairs"], near["clusters"])], 1),
        Stage("write", [partial(_write, out, near["clusters"])], 1),
    ]
    if executor.run(stages, place.place_of(args), out / "logs"):
        report = json.loads((out / "report.json").read_text(encoding="utf-8"))
        sys.stdout.write(f"{report['kept']:,} of {report['files']:,} files, in {report['records']:,} records\n")
    else:
        sys.stdout.write(f"queued; {out / 'report.json'} is written when the job corpus-write ends\n")
    return 0


def _read(out: Path, stars: dict[str, float], _: object, rank: int, world: int) -> Iterator[Document]:
    """Yield a shard's clean files and keep them in a Parquet file; drops are counted beside it."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from datatrove.data import Document

    from trainer.corpus.decontaminate import is_contaminated, said
    from trainer.corpus.quality import clean, function_score, pieces, test_score, weight
    from trainer.corpus.readers import licence, read
    from trainer.corpus.shards import Shards

    shards = Shards(out / "shards")
    source = shards.source(rank)
    declared, drops, rows = licence(source), Counter[str](), []
    for document in read(source, drops):
        if document.format != "python":
            continue
        drops["files"] += 1
        file = clean(document.path, document.text)
        if isinstance(file, str):
            drops[file] += 1
        else:
            cut = list(pieces(file, PIECE))
            own = [piece for piece in cut if not is_contaminated([piece, *said(piece)])]
            drops[_CONTAMINATED] += len(cut) - len(own)
            heldout = source.heldout or hashlib.blake2b(file.text.encode()).digest()[0] % HELD_OUT_IN == 0
            rows.append(
                {
                    "path": document.path,
                    "source": source.name,
                    "license": declared,
                    "split": "heldout" if heldout else "train",
                    "weight": weight(stars.get(source.name, 0), test_score(file.tree), function_score(file.tree)),
                    "pieces": own,
                }
            )
            yield Document(file.text, document.path)
    pq.write_table(pa.Table.from_pylist(rows, schema=_schema(pieces=True)), shards.path(rank, ".files.parquet"))
    shards.path(rank, ".files.json").write_text(json.dumps(drops), encoding="utf-8")


def _sign(folder: str, documents: Iterator[Document], rank: int, world: int) -> Any:
    """Write the documents' MinHash signatures; words are taken apart as Python does it."""
    import re

    from datatrove.pipeline.dedup import MinhashDedupSignature
    from datatrove.utils.word_tokenizers import WordTokenizer

    class Words(WordTokenizer):
        def word_tokenize(self, text: str) -> list[str]:
            return re.findall(r"\w+", text)

        def sent_tokenize(self, text: str) -> list[str]:
            return [text]

        def span_tokenize(self, text: str) -> list[tuple[int, int]]:
            return [(0, len(text))]

    return MinhashDedupSignature(folder, language=Words()).run(documents, rank, world)


def _write(out: Path, clusters: str, *_: object) -> None:
    """Cut what is left into records, shard by shard."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from trainer.corpus.merge import SPLITS, Writer
    from trainer.corpus.shards import Shards

    shards, schema = Shards(out / "shards"), _schema()
    drops: Counter[str] = Counter()
    kept, records = 0, 0
    with contextlib.ExitStack() as stack:
        writers = {split: stack.enter_context(Writer(out / f"{split}.parquet", schema)) for split in SPLITS}
        for number in range(len(shards)):
            drops.update(json.loads(shards.path(number, ".files.json").read_text(encoding="utf-8")))
            alike = Path(clusters) / f"{number:06d}.remove"
            repeated = set(np.fromfile(alike, np.uint32).tolist()) if alike.exists() else set()
            drops["near-duplicate"] += len(repeated)
            rows: dict[str, list[dict[str, Any]]] = {split: [] for split in SPLITS}
            for index, file in enumerate(pq.read_table(shards.path(number, ".files.parquet")).to_pylist()):
                if index not in repeated:
                    kept += 1
                    made = {"head": "", "sketch": "", "kind": "file", **file}
                    rows[file["split"]] += [{**made, "code": piece} for piece in made.pop("pieces")]
            for split, each in rows.items():
                records += len(each)
                writers[split].write(pa.Table.from_pylist(each, schema=schema))
    report = {name: drops.pop(name, 0) for name in ("files", _CONTAMINATED)}
    report |= {"kept": kept, "records": records, "drops": dict(drops.most_common())}
    (out / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _schema(*, pieces: bool = False) -> pa.Schema:
    """Of the records; or of the files, with their pieces in a list."""
    import pyarrow as pa

    from trainer.corpus.records import COLUMNS

    names = ("path", "source", "license", "split") if pieces else COLUMNS
    last = [("pieces", pa.list_(pa.string()))] if pieces else []
    return pa.schema([*((name, pa.string()) for name in names), ("weight", pa.float64()), *last])


def _read_stars(path: Path) -> dict[str, float]:
    stars = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, _, count = line.partition("\t")
        try:
            stars[name] = float(count)
        except ValueError as error:
            raise CorpusError(
                f"{path} has a line that is no name, tab and number: {line!r}",
                "no file was read",
                "write the stars of each source on a line of its own",
            ) from error
    return stars
