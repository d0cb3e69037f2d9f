"""Whole files for a base of one's own: which are read, and how often, as PyCodeGPT's were (Zan et al., 2022).

The paper tells the filters in its appendix and the released code tells the weights; what neither defines is defined
here: the alphanumeric rate of 0.98, which no file with brackets would reach if the words were taken literally, is the
share of ASCII; a file's test score is the share of its functions that are tests; its function score is the share of
its code that stands in functions, one half at least, so that scripts are read less and not left out.
"""

from __future__ import annotations

import ast
import io
import math
import re
import tokenize
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

MAX_BYTES = 1_000_000
_MEANINGLESS = re.compile(r"(^|/)(__init__|setup)\.py$|_pb2\.py$")
_LICENCE = re.compile(r"copyright|licen[cs]e|spdx-", re.IGNORECASE)


@dataclass(frozen=True)
class File:
    """A Python file, cleaned.

    Attributes:
        path: Where it stood, with forward slashes.
        text: Its text without licence header and ornamental comments.
        tree: The same, parsed.
    """

    path: str
    text: str
    tree: ast.Module = field(compare=False)


def _longest(text: str) -> int:
    return max(map(len, text.split("\n")))


def _mean(text: str) -> float:
    lines = text.rstrip("\n").split("\n")
    return sum(map(len, lines)) / len(lines)


def _ascii(text: str) -> float:
    return sum(map(str.isascii, text)) / max(1, len(text))


REASONS: dict[str, Callable[[str, str], bool]] = {
    "generated or meaningless name": lambda path, text: bool(_MEANINGLESS.search(path)),
    "over 1 MB": lambda path, text: len(text.encode("utf-8", "replace")) > MAX_BYTES,
    "under 5 lines": lambda path, text: sum(bool(line.strip()) for line in text.split("\n")) < 5,
    "lines over 100 characters on average": lambda path, text: _mean(text) > 100,
    "a line over 1,000 characters": lambda path, text: _longest(text) > 1_000,
    "under 98 % ASCII": lambda path, text: _ascii(text) < 0.98,
}
"""The filters in their order: each says of a path and a cleaned text whether it is dropped."""


def clean(path: str, text: str) -> File | str:
    """Return the file as it is learned from, or the reason why it is not."""
    try:
        text = without_ornaments(without_licence(text))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of strings with unknown escapes
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError):
        return "does not parse"
    return next((reason for reason, drops in REASONS.items() if drops(path, text)), None) or File(path, text, tree)


def without_licence(text: str) -> str:
    """Take the comment off a file's head if it speaks of copyright or a licence."""
    lines = text.split("\n")
    end = next((number for number, line in enumerate(lines) if line.strip() and line[0] != "#"), len(lines))
    return "\n".join(lines[end:]) if _LICENCE.search("\n".join(lines[:end])) else text


def without_ornaments(text: str) -> str:
    """Take away comments fewer than half of whose characters are letters or digits.

    Raises:
        tokenize.TokenError: The text is not Python.
    """
    lines = text.split("\n")
    for token in _comments(text):
        said = token.string.lstrip("#").replace(" ", "")
        if sum(map(str.isalnum, said)) < 0.5 * len(said):
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column].rstrip() or "\0"
    return "\n".join(line for line in lines if line != "\0")


def _comments(text: str) -> Iterator[tokenize.TokenInfo]:
    if "#" in text:
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        yield from (token for token in tokens if token.type == tokenize.COMMENT)


def function_score(tree: ast.Module) -> float:
    """Share of a file's lines of code that stand in functions, in [0.5, 1]."""
    inside = sum(_lines(node) for node in _functions(tree))
    return min(1.0, max(0.5, inside / max(1, sum(map(_lines, tree.body)))))


def test_score(tree: ast.Module) -> float:
    """Share of a file's functions that are tests, in [0, 1]; without functions 0."""
    names = [node.name for node in _functions(tree)]
    return sum(name.startswith("test") for name in names) / max(1, len(names))


test_score.__test__ = False  # pytest takes its name for a test's


def weight(stars: float, tests: float, functions: float) -> float:
    """How often a file is read in an epoch, in [0, 2].

    Args:
        stars: Of its repository; 0 where they are not known.
        tests: Its test score.
        functions: Its function score.
    """
    return (1 + min(5.0, math.log10(stars + 1)) / 5) * min(1.0, max(0.0, 1.5 - tests)) * functions


def pieces(file: File, size: int) -> Iterator[str]:
    """Cut a file into pieces of at most `size` characters, before a statement of the module where one is near."""
    lines = file.text.split("\n")
    starts = {
        min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))]) - 1 for node in file.tree.body
    }
    begun, border, length = 0, 0, 0
    for number, line in enumerate(lines):
        if number in starts:
            border = number
        length += len(line) + 1
        if length > size and number > begun:
            cut = border if border > begun else number
            yield "\n".join(lines[begun:cut]) + "\n"
            begun, length = cut, sum(len(each) + 1 for each in lines[cut : number + 1])
    yield "\n".join(lines[begun:])


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Functions and methods, those inside of others left out."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node
        elif isinstance(node, ast.ClassDef):
            yield from (each for each in node.body if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef)))


def _lines(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1
