"""Train a tokenizer for Python: byte-level BPE, the second of PyCodeGPT's three strengths (Zan et al., 2022).

    python -m trainer tokenizer --out runs/tokenizer --sdists runs/corpus/sdists --base runs/base
    python -m trainer tokenizer --out runs/tokenizer --folder ~/code --size 16000

Reads the Python files of the sources; one in twenty, chosen by its content, is held out to measure the bytes that a
token stands for, beside the base's own tokenizer if --base names one. Writes OUT/tokenizer.json and OUT/report.json.
The same files give the same tokenizer.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cert_lsp.errors import CorpusError
from trainer.base import SMOLLM2_MARKERS, repair_tokenizer
from trainer.corpus.readers import Source, read

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_HELD_OUT_IN = 20
_LEAST = len(SMOLLM2_MARKERS) + 256
"""Markers and bytes: a smaller vocabulary could not spell everything."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    parser.add_argument("--sdists", type=Path, metavar="DIR", help="read the distributions that lie in this folder")
    parser.add_argument("--folder", type=Path, nargs="+", default=[], metavar="DIR", help="read these folders")
    parser.add_argument("--size", type=int, default=32_000, metavar="N", help="size of the vocabulary (default 32000)")
    parser.add_argument("--base", type=Path, metavar="DIR", help="a base folder, to compare with its tokenizer")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(args: argparse.Namespace) -> int:
    """Train, measure and write; returns the exit status."""
    from tokenizers import Tokenizer

    if args.size < _LEAST:
        raise CorpusError(f"--size {args.size} is too small", remedy=f"markers and bytes alone are {_LEAST}")
    sources = [Source(folder.name, folder) for folder in args.folder]
    if args.sdists:
        sources += [Source(path.name, path) for path in sorted(args.sdists.glob("*.*"))]
    drops: Counter[str] = Counter()
    held_out: list[str] = []
    trained = train(_to_train_on(sources, held_out, drops), args.size)
    if not held_out:
        raise CorpusError("the sources hold too few Python files", "nothing could be held out", "name more of them")
    report: dict[str, Any] = {
        "vocabulary": trained.get_vocab_size(),
        "held_out_files": len(held_out),
        "held_out_bytes": sum(len(text.encode()) for text in held_out),
        "bytes_per_token": bytes_per_token(trained, held_out),
        "dropped": dict(drops),
    }
    if args.base:
        base = Tokenizer.from_file(str(args.base / "tokenizer.json"))
        report["base"] = {
            "vocabulary": base.get_vocab_size(),
            "bytes_per_token": bytes_per_token(base, held_out),
        }
    args.out.mkdir(parents=True, exist_ok=True)
    trained.save(str(args.out / "tokenizer.json"))
    text = json.dumps(report, indent=1) + "\n"
    (args.out / "report.json").write_text(text, encoding="utf-8")
    sys.stdout.write(text if args.json else _as_text(report, args.out))
    return 0


def train(texts: Iterator[str], size: int) -> Tokenizer:
    """Train a byte-level BPE of at most `size` tokens, the markers among them.

    Digits stand alone and words are split as in the base, so that the two can be compared.
    """
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    blank = Tokenizer(models.BPE())
    tokenizer = Tokenizer.from_str(json.dumps(repair_tokenizer(json.loads(blank.to_str()))))
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(SMOLLM2_MARKERS.values()),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=sys.stderr.isatty(),
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def bytes_per_token(tokenizer: Tokenizer, texts: Sequence[str]) -> float:
    """UTF-8 bytes of `texts` for each of their tokens: the more, the shorter are prompts and answers."""
    tokens = sum(len(encoding.ids) for encoding in tokenizer.encode_batch(list(texts), add_special_tokens=False))
    return sum(len(text.encode()) for text in texts) / tokens


def _to_train_on(sources: Sequence[Source], held_out: list[str], drops: Counter[str]) -> Iterator[str]:
    """Yield the Python files to train on; what is held out goes to `held_out`. Repeated files count once."""
    from tqdm import tqdm

    seen: set[bytes] = set()
    for source in tqdm(sources, desc="read", unit="source"):
        for document in read(source, drops):
            digest = hashlib.blake2b(document.text.encode("utf-8", "replace"), digest_size=8).digest()
            if document.format != "python" or digest in seen:
                continue
            seen.add(digest)
            if digest[0] % _HELD_OUT_IN == 0:
                held_out.append(document.text)
            else:
                yield document.text


def _as_text(report: dict[str, Any], out: Path) -> str:
    lines = [f"{report['bytes_per_token']:.2f} bytes per token on {report['held_out_files']:,} files held out"]
    if base := report.get("base"):
        share = report["bytes_per_token"] / base["bytes_per_token"]
        lines.append(
            f"the base's: {base['bytes_per_token']:.2f} with {base['vocabulary']:,} tokens; "
            f"{share:.2f} times as many with {report['vocabulary']:,}"
        )
    return "\n".join([*lines, f"wrote {out / 'tokenizer.json'}"]) + "\n"
