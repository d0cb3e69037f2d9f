"""One source to candidate records: read, cut into pairs, decontaminated, laid out, sketched."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from cert_lsp.contract.sketch import sketch
from cert_lsp.errors import SketchError
from trainer.corpus.decontaminate import is_contaminated
from trainer.corpus.extract import scripts
from trainer.corpus.layout import lay_outs
from trainer.corpus.pairs import Pair, pairs
from trainer.corpus.readers import Source, licence, read
from trainer.corpus.script import Script

COLUMNS = ("head", "code", "sketch", "kind", "source", "path", "split", "license")


def records(source: Source, drops: Counter[str], files: Counter[str]) -> Iterator[dict[str, str]]:
    """Yield the candidate records of one source; `key` is what near-dedup compares."""
    declared = licence(source)
    for document in read(source, drops):
        files[document.format] += 1
        for script in scripts(document, drops):
            for pair in _pairs(script, drops):
                if is_contaminated(_texts(pair), "\n".join(statement.code for statement in pair.code)):
                    drops["contaminated"] += 1
                    continue
                for head, code in lay_outs(pair):
                    try:
                        wire = sketch(code, before=head.rpartition("\n")[2]).wire
                        (head + code).encode()
                    except (SketchError, UnicodeEncodeError):
                        drops["code: no sketch"] += 1
                        continue
                    yield {
                        "head": head,
                        "code": code,
                        "sketch": wire,
                        "kind": pair.kind,
                        "source": source.name,
                        "path": document.path,
                        "split": "heldout" if source.heldout else "train",
                        "license": declared,
                        "key": "\n".join([pair.intent, *(s.code for s in pair.code)]),
                    }


def _texts(pair: Pair) -> list[str]:
    """All that the record says in words: the prose, whole and by lines, and strings, some of which are docstrings."""
    strings = [
        node.value
        for statement in (*pair.code, *pair.context)
        for node in ast.walk(statement.node)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    return [pair.prose, *pair.prose.split("\n"), pair.intent, pair.summary, *strings]


def _pairs(script: Script, drops: Counter[str]) -> Iterator[Pair]:
    try:
        yield from pairs(script, drops)
    except RecursionError:
        drops["script: nested too deeply"] += 1
