"""Keep the evaluation suites out of the training text.

For every comment, docstring, markdown cell or doctest description: the lower-case words `[a-z0-9]+`; each run of eight
words joined by one space is hashed by blake2b (8 bytes), and a text of five to seven words is hashed as `^text$`. A
record with any hash in `decontamination.blake2b8` (the published suites, whose tasks are not part of this repository)
or of this repository's own suites, which are read from their files, is dropped. Phrases under five words cannot be told
from chance, so of an own suite the code counts as well: a record is dropped whose code, written alike, is the answer of
a task and holds a constant or is long. `df.dropna()` is everybody's, and stays.
"""

from __future__ import annotations

import ast
import hashlib
import re
import textwrap
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import evals
from evals.suite import load_suites
from trainer.corpus.script import parse

RUN = 8
SHORTEST = 5
COMMON_CODE = 32
"""Code without a constant that is shorter than this is common to all who use the libraries."""
OWN_SUITES = tuple(
    Path(evals.__file__).with_name(name) for name in ("everyday.jsonl", "daily.jsonl", "documentation.jsonl")
)
_FILE = Path(__file__).with_name("decontamination.blake2b8")
_SAID = re.compile(r"^[ \t]*#+ ?(.*)$|(\"{3}|'{3})(.*?)\2", re.MULTILINE | re.DOTALL)


@cache
def published() -> frozenset[str]:
    """The recorded hashes of the published suites."""
    return frozenset(_FILE.read_text(encoding="ascii").split())


@cache
def own() -> tuple[frozenset[str], frozenset[str]]:
    """Of this repository's suites: the hashes of what their prompts say, and the answers' code, written alike."""
    tasks = [task for suite in load_suites(OWN_SUITES) for task in suite.tasks]
    told = {found for task in tasks for text in (task.intent, *said(task.prompt)) for found in hashes(text)}
    codes = {code for task in tasks for answer in task.canonical_solution if (code := alike(answer))}
    return frozenset(told), frozenset(codes)


def hashes(text: str) -> Iterator[str]:
    """Hash a text's word runs."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    runs = [" ".join(words[n : n + RUN]) for n in range(len(words) - RUN + 1)]
    if SHORTEST <= len(words) < RUN:
        runs = [f"^{' '.join(words)}$"]
    for run in runs:
        yield hashlib.blake2b(run.encode(), digest_size=8).hexdigest()


def is_published(texts: Sequence[str]) -> bool:
    """Whether any of the texts shares a run of words with a published suite."""
    known = published()
    return any(found in known for text in texts for found in hashes(text))


def is_contaminated(texts: Sequence[str], code: str = "") -> bool:
    """Whether any of the texts shares a run of words with a suite, or `code` is an answer of one of our own."""
    told, codes = own()
    return is_published(texts) or any(found in told for text in texts for found in hashes(text)) or alike(code) in codes


def alike(code: str) -> str:
    """Code as a value's expression or statements, written one way; empty if it is common, or does not parse."""
    try:
        function = parse(f"def f():\n{textwrap.indent(textwrap.dedent(code), ' ')}").body[0]
    except (SyntaxError, ValueError):
        return ""
    body = function.body if isinstance(function, ast.FunctionDef) else []
    if len(body) == 1 and isinstance(body[0], (ast.Assign, ast.Return, ast.Expr)) and body[0].value is not None:
        body = [ast.Expr(body[0].value)]
    constants = [n.value for b in body for n in ast.walk(b) if isinstance(n, ast.Constant)]
    told = [value for value in constants if not isinstance(value, bool) and value is not None and value not in (0, 1)]
    text = "\n".join(ast.unparse(statement) for statement in body)
    return text if told or len(text) >= COMMON_CODE else ""


def said(code: str) -> Iterator[str]:
    """The comments and docstrings of Python code; comment lines in a row are one text, and each is one of its own."""
    lines: list[str] = []
    for match in _SAID.finditer(code):
        if match[3] is not None:
            yield match[3]
            yield from match[3].split("\n\n")
        else:
            lines.append(match[1])
            yield match[1]
    yield " ".join(lines)
