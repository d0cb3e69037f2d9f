"""Which comments and docstrings say what the code below them shall do.

Most comments in a file are no intents: directives to tools, separators, code that was commented out, licences. Offering
code below those would only disturb.
"""

import re
from collections.abc import Sequence

_DIRECTIVE = re.compile(
    r"(?:!|%%\s*$|%\w|-\*-|noqa\b|nosec\b|type:\s*ignore|pragma\b|>>>|<codecell>|In\s*\[|(?:end)?region\s*$"
    r"|(?:fmt|isort|pylint|flake8|mypy|pyright|ruff|cython|codespell|sphinx|yapf)\s*:|coding\s*[:=]|(?:vim?|emacs)\s*:.*="
    r"|SPDX|Copyright\b|\(c\)|Licen[sc](?:e:|ed under))",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"""
      [\w.]+(?:\[[^\]]*\])*(?:\s*,\s*[\w.]+)*\s*[-+*/%&|]?=(?!=)\s*(?!(?:\w+\s+){2}\w)\S.*  # its value is no prose
    | [\w.]+(?:\[[^\]]*\])?(?:\.\w+)*\(.*\)[,:]?  # a call
    | import\s+[\w.]+(?:\s+as\s.*)? | from\s+[\w.]+\s+import\s.*
    | (?:async\s+)?(?:def\s+\w+\s*\(|class\s+\w+\s*[(:]).*
    | (?:for|if|elif|while|with|except)\s.*: | (?:else|try|finally)\s*:
    | (?:return|raise|yield|assert|del)\s+(?!\w+\s+\w).*[.(\[=].*
    | @\w[\w.]*(?:\(.*\))? | [()\[\]{}]+[,:]?
    """,
    re.VERBOSE,
)
_RULE = re.compile(r"^[\W_]{2,}|[\W_]{3,}$")
_LETTERS = 3


def from_comments(lines: Sequence[str]) -> str:
    """Return what a block of comment lines (each with its ``#``) asks for, or "" if it asks for nothing."""
    kept: list[str] = []
    for line in lines:
        body = line.strip().lstrip("#").removeprefix(":").strip()
        if _DIRECTIVE.match(body) or _CODE.fullmatch(body):
            continue
        body = _RULE.sub("", body.removeprefix("%%")).strip()
        if body:
            kept.append(body)
    return _said(" ".join(kept))


def from_docstring(literal: str) -> str:
    """Return what a docstring (with its quotes) asks for, or "" if it asks for nothing."""
    body = literal.strip().lstrip("rRuU")
    quotes = body[:3] if body[:3] in ('"""', "'''") else body[:1]
    return _said(" ".join(body.removeprefix(quotes).removesuffix(quotes).split()))


def _said(text: str) -> str:
    return text if sum(char.isalpha() for char in text) >= _LETTERS else ""
