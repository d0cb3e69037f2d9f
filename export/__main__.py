"""``python -m export``: a checkpoint becomes a bundle. Parses first, imports its libraries later."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cert_lsp.errors import CertError

if TYPE_CHECKING:
    from export.verify import Report

_EXAMPLES = """\
examples:
  python -m export runs/joint/best --out bundles/mine            8 bits, for any CPU
  python -m export runs/joint/best --base base --out bundles/mine --corpus runs/corpus runs/textbook
  python -m export runs/sketcher --generator runs/generator --out bundles/paper
  python -m export runs/joint/best --out bundles/gpu --target cuda
  python -m export verify bundles/mine runs/joint/best --json report.json
  cert-lsp complete examples/flights.py:9 --model bundles/mine   use it

A checkpoint is what `python -m trainer` writes: a Hugging Face folder of full weights, or of a LoRA adapter that is
merged with its base. A bundle is verified against torch before it appears; if it differs, nothing is written.
exit status: 0 done, 1 an error told in one message, 2 wrong usage, 130 interrupted
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the process's exit status."""
    argv = sys.argv[1:] if argv is None else argv
    try:
        return _verify(argv[1:]) if argv[:1] == ["verify"] else _export(argv)
    except CertError as error:
        sys.stderr.write(f"python -m export: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def _export(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m export",
        usage="%(prog)s CHECKPOINT --out DIR [options]\n       %(prog)s verify BUNDLE CHECKPOINT [options]",
        description="Turn a checkpoint into a bundle for cert-lsp: ONNX graph, tokenizer, manifest, golden file.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT", help="joint or plain checkpoint, or a sketcher")
    parser.add_argument("--generator", type=Path, metavar="CHECKPOINT", help="the generator that goes with a sketcher")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="bundle to write; must not exist")
    parser.add_argument("--target", choices=("cpu", "cuda"), default="cpu", help="cuda: float16 (default: %(default)s)")
    parser.add_argument(
        "--bits",
        type=int,
        choices=(4, 8, 32),
        default=8,
        help="weights on the CPU; 32: as trained (default: %(default)s)",
    )
    parser.add_argument("--base", type=Path, metavar="DIR", help="base of an adapter, if it has moved")
    parser.add_argument(
        "--corpus",
        type=Path,
        nargs="+",
        default=[],
        metavar="DIR",
        help="what it was trained on: its idioms are counted and make the model faster, never different",
    )
    parser.add_argument("--name", help="what the bundle calls itself (default: base and layout)")
    parser.add_argument(
        "--adapter-out",
        type=Path,
        metavar="DIR",
        help="also keep the adapter in float16, to train on from; for a pair one folder by role",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the comparison with torch as JSON")
    args = parser.parse_args(argv)

    from export.bundle import export_bundle
    from export.checkpoint import read_checkpoint, save_adapter
    from export.to_onnx import Precision

    folders = [args.checkpoint, *([args.generator] if args.generator else [])]
    precision = Precision(args.target, args.bits)
    if args.adapter_out:
        for checkpoint in (read_checkpoint(folder, base=args.base) for folder in folders):
            save_adapter(checkpoint, args.adapter_out / checkpoint.role if args.generator else args.adapter_out)
    reports = export_bundle(folders, args.out, precision=precision, base=args.base, name=args.name, corpora=args.corpus)
    _show(reports, args.json)
    size = sum(path.stat().st_size for path in args.out.iterdir()) / 1e6
    sys.stdout.write(f"wrote {args.out} ({size:.1f} MB)\n")
    return 0


def _verify(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m export verify",
        description="Compare a bundle with the checkpoint that it came from: logits, then greedy tokens.",
    )
    parser.add_argument("bundle", type=Path, metavar="BUNDLE")
    parser.add_argument("checkpoints", type=Path, nargs="+", metavar="CHECKPOINT", help="one for each model")
    parser.add_argument("--base", type=Path, metavar="DIR", help="base of an adapter, if it has moved")
    parser.add_argument(
        "--prompts", type=int, default=12, metavar="N", help="how many prompts (default: all %(default)s)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table as JSON")
    args = parser.parse_args(argv)

    from export.bundle import verify_bundle
    from export.verify import judge

    reports = verify_bundle(args.bundle, args.checkpoints, base=args.base, prompts=args.prompts)
    _show(reports, args.json)
    for report in reports:
        judge(report)
    return 0


def _show(reports: Sequence[Report], json_file: Path | None) -> None:
    from export.verify import TABLE

    sys.stdout.write("\n".join([TABLE, *(report.row() for report in reports)]) + "\n")
    if json_file:
        text = json.dumps({"models": [report.as_json() for report in reports]}, indent=2)
        json_file.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
