"""What a notebook's cell is read with: the code of the cells above it, and the Markdown cell directly above it.

A cell is read as the end of a script: the code above comes first, then what the Markdown says, as a comment, which
states the intent of a cell that has no comment of its own. Lines that are IPython's and not Python's are left out.
Not covered: the cells below, and what the kernel has run in which order.
"""

import re
from collections.abc import Iterable

_FOREIGN = re.compile(r"[ \t]*[%!?]|.*\?\s*\Z")
_PYTHON_CELL = re.compile(r"%%(?:time|timeit|capture|prun)\b")
_FENCE = re.compile(r"^(?:```|~~~).*?^(?:```|~~~)[^\n]*$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"[ \t]*#+[ \t]")
_MARKUP = re.compile(
    r"""
      ^[ \t]*(?:\#+|[-*+>]|\d+[.)])[ \t]+ | [ \t]+\#+[ \t]*$  # headings, lists, quotes
    | !?\[(?P<link>[^\]]*)\]\([^)]*\)
    | (?<!\w)[*`]{1,3}(?=\S) | (?<=\S)[*`]{1,3}(?!\w)  # emphasis and code; an underscore is mostly part of a name
    """,
    re.VERBOSE,
)
_BREAK = re.compile(r"[-*_=\s]*")
_LINES = 3
"""Lines of a Markdown cell's last paragraph that are taken: what is longer explains more than it asks for."""


def script_above(code: Iterable[str], markdown: str) -> str:
    """Compose what a cell is read with.

    Args:
        code: The texts of the code cells above it, first to last.
        markdown: The text of a Markdown cell directly above it, else "".

    Returns:
        Whole lines; "" if there is nothing above.
    """
    parts = [python for each in code if (python := _python(each))]
    return "".join(f"{part}\n\n" for part in parts) + "".join(f"# {line}\n" for line in _asked(markdown))


def _python(cell: str) -> str:
    """Return a cell's Python, less its trailing blank lines; "" for a cell in another language."""
    lines = cell.split("\n")
    if lines[0].startswith("%%") and not _PYTHON_CELL.match(lines[0]):
        return ""
    return "\n".join(line for line in lines if not _FOREIGN.match(line)).rstrip()


def _asked(markdown: str) -> list[str]:
    """Return the last paragraph or heading of a Markdown text, without its markup."""
    last: list[str] = []
    goes_on = False
    for line in _FENCE.sub("", markdown).split("\n"):
        if _BREAK.fullmatch(line):
            goes_on = False
        else:
            heading = _HEADING.match(line) is not None
            last = [*(last if goes_on and not heading else []), _MARKUP.sub(r"\g<link>", line).strip()]
            goes_on = not heading
    return last[:_LINES]
