r"""List the API of pandas and NumPy, so that the server can tell a name that exists from one that was made up.

    python -m trainer api-index --out cert_lsp/engine/api_index.json --python env-old/bin/python \
        --python env-new/bin/python

Give one --python per pair of pandas and NumPy that the index must cover: it holds the union, a name counts as existing
if any of them has it. Which version has it is not kept yet.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from cert_lsp.errors import CorpusError

_PROBE = Path(__file__).with_name("api_probe.py")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="where the index goes (JSON)")
    parser.add_argument(
        "--python",
        type=Path,
        action="append",
        required=True,
        metavar="PYTHON",
        help="an interpreter with pandas and NumPy to look into; may be repeated",
    )


def run(args: argparse.Namespace) -> int:
    """Write the index; returns the exit status."""
    index = merge([probe(python) for python in args.python])
    args.out.write_text(json.dumps(index, separators=(",", ":")) + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(index['modules'])} modules, {len(index['attributes'])} attributes: {args.out}\n")
    return 0


def probe(python: Path) -> dict[str, Any]:
    """Look into one interpreter.

    Raises:
        CorpusError: If it does not run, or lacks pandas or NumPy.
    """
    try:
        found = subprocess.run([python, "-I", _PROBE], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        last = (getattr(error, "stderr", None) or str(error)).strip().splitlines()[-1]
        raise CorpusError(
            f"{python} cannot list its API: {last}", "No index was written.", "Install pandas and NumPy there."
        ) from error
    return json.loads(found.stdout)


def merge(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Unite what several interpreters have; every list is sorted."""
    modules: dict[str, set[str]] = defaultdict(set)
    for one in found:
        for path, names in one["modules"].items():
            modules[path].update(names)
    return {
        "versions": {library: [one["versions"][library] for one in found] for library in ("pandas", "numpy")},
        "modules": {path: sorted(names) for path, names in sorted(modules.items())},
        "attributes": sorted({name for one in found for name in one["attributes"]}),
    }
