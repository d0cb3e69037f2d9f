"""How an answer is fitted to the buffer: its quotes and indentation, and one statement at a time.

A model writes as most of what it has read; a buffer has a style of its own. Only what cannot change the meaning is
changed: quotes of strings that hold neither quotes nor backslashes, and the indentation of statements within a block.
Pure: any thread may call.
"""

import re
from collections import Counter
from dataclasses import dataclass

from cert_lsp.engine.extent import Extent, end_of_answer
from cert_lsp.engine.lexer import Kind, scan, strings

_MOSTLY = 0.8
_TRIPLE = ('"""', "'''")
_PREFIX = re.compile(r"[A-Za-z]*\Z")


@dataclass(frozen=True, slots=True)
class Style:
    """A buffer's habits.

    Attributes:
        quote: The quotation mark of nearly all its strings; None where there is no habit.
        step: One level of indentation; None where nothing is indented.
    """

    quote: str | None
    step: str | None


def style_of(text: str) -> Style:
    """Tell the habits of a text."""
    marks = Counter(text[start] for start, _ in strings(text) if text[start : start + 3] not in _TRIPLE)
    quote, count = marks.most_common(1)[0] if marks else (None, 0)
    steps: Counter[str] = Counter()
    outer = ""
    for line in scan(text).lines:
        if line.kind is Kind.BLANK:
            continue
        if line.indent != outer and line.indent.startswith(outer):
            steps[line.indent[len(outer) :]] += 1
        outer = line.indent
    step = steps.most_common(1)[0][0] if steps else None
    return Style(quote if count >= _MOSTLY * marks.total() else None, step)


def in_style(style: Style, begun: str, code: str) -> str:
    r"""Write an answer as the buffer would have it.

    Args:
        style: The buffer's habits.
        begun: The half-written statement or the indentation that the answer goes on with.
        code: The answer, lines ended by ``\n``.
    """
    code = _quoted(style, begun, code)
    return code if begun.strip() else _indented(style, begun + code)[len(begun) :]


def end_of_statement(begun: str, code: str, typed: int = 0) -> int:
    r"""Say where the first statement of an answer ends of which something is left to type.

    Args:
        begun: The half-written statement or the indentation that the answer goes on with.
        code: The answer, lines ended by ``\n``.
        typed: How much of it is typed already.

    Returns:
        Offset in `code` behind the statement, with its block if it opens one.
    """
    source, start = begun + code, 0
    while (end := end_of_answer(source[start:], Extent.STATEMENT)) is not None:
        start += end
        if start - len(begun) > typed:
            return start - len(begun)
    return len(code)


def _quoted(style: Style, begun: str, code: str) -> str:
    if style.quote is None:
        return code
    source = list(begun + code)
    text = begun + code
    for start, end in strings(text):
        if start < len(begun) or text[start] == style.quote or text[start : start + 3] in _TRIPLE:
            continue
        content = text[start + 1 : end - 1]
        prefix = _PREFIX.search(text[:start])
        is_format = prefix is not None and "f" in prefix[0].lower()
        if not re.search(r"['\"\\]", content) and not (is_format and "{" in content):
            source[start] = source[end - 1] = style.quote
    return "".join(source[len(begun) :])


def _indented(style: Style, code: str) -> str:
    """Write the steps of whole statements as the buffer does; lines within brackets and strings stay as they are."""
    lines = [line for line in scan(code).lines if line.kind is not Kind.BLANK]
    if style.step is None or not lines:
        return code
    base = lines[0].indent
    inner = [line.indent[len(base) :] for line in lines if line.indent != base and line.indent.startswith(base)]
    step = min(inner, key=len, default="")
    if not step or step == style.step or any(each != step * (len(each) // len(step)) for each in inner):
        return code
    parts: list[str] = []
    last = 0
    for line in lines:
        if line.indent != base and line.indent.startswith(base):
            levels = (len(line.indent) - len(base)) // len(step)
            parts += [code[last : line.start], base + style.step * levels]
            last = line.start + len(line.indent)
    return "".join([*parts, code[last:]])
