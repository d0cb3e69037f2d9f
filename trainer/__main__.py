"""``python -m trainer COMMAND``: what makes a model, from source files to weights; ``--help`` lists the commands.

Each command parses first and imports its libraries later, so that ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import importlib
import sys

from cert_lsp.errors import CertError

_COMMANDS = {
    "api-index": ("trainer.api_index", "list the API of pandas and NumPy for the server"),
    "base": ("trainer.base", "fetch the base model, or take one from a local folder"),
    "compare": ("trainer.compare", "say whether a run repeats recorded losses"),
    "corpus": ("trainer.corpus.cli", "make training records from source folders and source distributions"),
    "files": ("trainer.corpus.files", "make a corpus of whole files, for a base trained from scratch"),
    "plan": ("trainer.plan", "say batch, ZeRO stage, memory and days of a run on GPUs"),
    "retrain": ("trainer.retrain.cli", "train the model in service on your own repositories, and judge the new one"),
    "suite": ("trainer.suite.cli", "make the documentation suite of evals from packages' own examples"),
    "textbook": ("trainer.textbook.cli", "write our own intent and code pairs, each one run and checked"),
    "tokenizer": ("trainer.tokenizer", "train a tokenizer for Python, and measure it beside the base's"),
    "train": ("trainer.train", "train a sketcher, a generator or both; run it again to resume"),
    "watch": ("trainer.watch", "keep a team's corpus current while its repositories are edited"),
}


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the process's exit status (1: a CertError, told in one message)."""
    argv = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(prog="python -m trainer", description="Make a model for CERT-LSP.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module, summary) in _COMMANDS.items():
        chosen = argv[:1] == [name]
        # Only the chosen command's module is imported, for its options alone.
        handler = importlib.import_module(module) if chosen else None
        description = (handler.__doc__ or summary) if handler else summary
        command = commands.add_parser(
            name, help=summary, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        if handler:
            handler.add_arguments(command)
            command.set_defaults(run=handler.run)
    args = parser.parse_args(argv)
    try:
        return args.run(args) or 0
    except CertError as error:
        sys.stderr.write(f"{parser.prog} {args.command}: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
