r"""Lines and columns as the Language Server Protocol counts them.

A line ends at ``\n``, ``\r\n`` or ``\r`` and nowhere else (`str.splitlines` also breaks at form feeds and other
separators, which Python files do contain). A column counts code units of the negotiated encoding; everything inside
this package counts code points. Source: LSP 3.18, "Text Documents" and "Position".
"""

import re
from bisect import bisect_right
from typing import Final

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_BYTES_PER_UNIT: Final = {"utf-8": 1, "utf-16": 2, "utf-32": 4}


def split_lines(text: str) -> list[str]:
    r"""Split a text into its lines, terminators kept; the last line has none and may be empty.

    >>> split_lines("a\r\nb\n")
    ['a\r\n', 'b\n', '']
    """
    lines = _LINE.findall(text)
    if len(lines) > 1 and not lines[-2].endswith(("\r", "\n")):
        lines.pop()  # a last line without terminator is followed by one more, empty match
    return lines


def body(line: str) -> str:
    """The line without its terminator."""
    return line.rstrip("\r\n")


def units(text: str, encoding: str) -> int:
    """Length of `text` in code units of `encoding` (``utf-8``, ``utf-16`` or ``utf-32``)."""
    if text.isascii() or encoding == "utf-32":
        return len(text)
    width = _BYTES_PER_UNIT[encoding]
    return len(text.encode(encoding if width == 1 else f"{encoding}-le", "surrogatepass")) // width


def column_to_index(line: str, column: int, encoding: str) -> int:
    """Code-point index of a column; past the end it is the end, inside a character it is the character's start.

    Args:
        line: The line without its terminator.
        column: Column in code units.
        encoding: The negotiated position encoding.
    """
    if line.isascii() or encoding == "utf-32":
        return min(column, len(line))
    return bisect_right(range(len(line) + 1), column, key=lambda index: units(line[:index], encoding)) - 1
