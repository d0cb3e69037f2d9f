r"""List the API of pandas and NumPy, so that the server can tell a name that exists from one that was made up.

    python -m trainer api-index --out cert_lsp/engine/api_index.json.gz --python old/bin/python \
        --python middle/bin/python --python new/bin/python

Give one --python per pair of pandas and NumPy that the index must cover, the oldest first: throw-away environments with
nothing else in them. What each has goes into one file, with a bit for each version that has it.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cert_lsp.errors import CorpusError

_PROBE = Path(__file__).with_name("api_probe")
_LIBRARIES = ("pandas", "numpy")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="where the index goes (JSON, gzip)")
    parser.add_argument(
        "--python",
        type=Path,
        action="append",
        required=True,
        metavar="PYTHON",
        help="an interpreter with pandas and NumPy to look into; may be repeated, oldest first",
    )


def run(args: argparse.Namespace) -> int:
    """Write the index; returns the exit status."""
    index = merge([probe(python) for python in args.python])
    content = json.dumps(index, separators=(",", ":")).encode()
    args.out.write_bytes(gzip.compress(content, mtime=0))  # the same bytes whenever it is made
    members = sum(len(names) for names in (*index["types"].values(), *index["modules"].values()))
    sys.stdout.write(f"{len(index['modules'])} modules, {len(index['types'])} types, {members} names: {args.out}\n")
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
    """Unite what several interpreters have, as `cert_lsp.engine.api_index` reads it.

    A name's entry is ``[bits, kind, keywords, results]`` and, for NumPy's functions, the results for a Series and for a
    DataFrame. Bit n of `bits` is set if the n-th version of the library has the name. `keywords` and the results are
    places in the tables of these names; -1 stands for what is not called. The keyword ``**`` stands for any, ``*2`` for
    at most two arguments without a name, ``*`` for none that needs one, ``!2`` for at least two.
    """
    versions = {library: list(dict.fromkeys(one["versions"][library] for one in found)) for library in _LIBRARIES}
    everywhere = (1 << max(map(len, versions.values()))) - 1
    tables = _Tables()
    modules: dict[str, dict[str, _Name]] = {}
    types: dict[str, dict[str, _Name]] = {}
    for one in found:
        bits = {name: 1 << versions[name].index(one["versions"][name]) for name in _LIBRARIES}
        for path, names in one["modules"].items():
            _take(modules.setdefault(path, {}), names, bits[path.partition(".")[0]])
        for title, described in one["types"].items():
            _take(types.setdefault(title, {}), described["members"], bits.get(described["library"], everywhere))
    return {
        "versions": versions,
        "modules": {path: _entries(names, tables) for path, names in sorted(modules.items())},
        "types": {title: _entries(names, tables) for title, names in sorted(types.items())},
        "keywords": [dict(pairs) for pairs in tables.keywords],
        "results": [list(titles) for titles in tables.results],
    }


class _Name:
    """What several versions say of a name."""

    def __init__(self) -> None:
        self.bits = 0
        self.kind = "v"
        self.keywords: dict[str, int] = {}
        self.results: list[set[str] | None] = [set()]

    def take(self, said: list[Any], bits: int) -> None:
        """Add what one version says; a result that one of them does not tell is not known."""
        self.kind, keywords, *results = said
        results = [results[0], *(results[1] if len(results) > 1 else [])]
        for keyword in ["**"] if keywords is None else keywords:
            self.keywords[keyword] = self.keywords.get(keyword, 0) | bits
        while len(self.results) < len(results):
            self.results.append(set())
        for place, titles in enumerate(results):
            known = self.results[place]
            self.results[place] = known | set(titles) if known is not None and (titles or place) else None
        self.bits |= bits


def _take(names: dict[str, _Name], said: Mapping[str, list[Any]], bits: int) -> None:
    for name, one in said.items():
        names.setdefault(name, _Name()).take(one, bits)


class _Tables:
    """Lists that many names share, each kept once."""

    def __init__(self) -> None:
        self.keywords: dict[tuple[tuple[str, int], ...], int] = {}
        self.results: dict[tuple[str, ...], int] = {}

    def place(self, table: dict[Any, int], of: Iterable[Any]) -> int:
        """Return where a list stands in its table, which it joins if it is new."""
        return table.setdefault(tuple(sorted(of)), len(table))


def _entries(names: Mapping[str, _Name], tables: _Tables) -> dict[str, list[Any]]:
    entries: dict[str, list[Any]] = {}
    for name, one in sorted(names.items()):
        entries[name] = [
            one.bits,
            one.kind,
            -1 if one.kind in "mv" else tables.place(tables.keywords, one.keywords.items()),
            *(tables.place(tables.results, titles or ()) for titles in one.results),
        ]
    return entries
