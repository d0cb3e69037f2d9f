"""Is a name that is being written bound? Looked at for every token, on text, as in `api_filter`.

A name that is read must be bound in the buffer or in the answer above, be Python's own, or be bound around it: by a
``lambda``, or by the ``for`` of a comprehension, which may come later. Where a name may be bound, any may stand, but
none that a bound name lacks only its plural's ending: ``reading`` beside ``readings`` is a slip.

A buffer that takes all names of a module (``import *``), or has no names but imported ones, is not judged: whatever it
works on is bound elsewhere. Neither are attributes and literals.
"""

import builtins
import keyword
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple, Self

from cert_lsp.engine.api_index import Names
from cert_lsp.engine.brackets import CLOSE, OPEN, closed_at, opened_at
from cert_lsp.engine.context import Context
from cert_lsp.engine.head import Imports
from cert_lsp.engine.lexer import scan, without_literals

_NAME = re.compile(r"(?<![\w$])[^\W\d]\w*")
_PIECE = re.compile(r"(?<![\w$])(?P<name>[^\W\d]\w*)(?P<equals>\s*=(?!=))?|[(\[{)\]}]")
_BOUND_INSIDE = re.compile(r"\blambda\b([^:]*):|\bfor\b(.*?)\bin\b|\b(\w+)\s*:=|\bas\s+(\w+)", re.DOTALL)
_BINDING = re.compile(r"\b(?:lambda\b[^:]*|for\s+(?:(?!\bin\b)[\w\s,()*])*|(?:as|import|global|nonlocal)\s+[\w\s,]*)\Z")
_TARGETS = re.compile(r"[ \t]*(?:[\w.]+[ \t]*,[ \t]*)*\Z")
_TARGET_ENDS = re.compile(r"[ \t]*(?:=(?!=)|,|:(?!=)|\Z)")
_BEHIND_DOT = re.compile(r"(?<!\.)\.(?:[ \t]*\\\n)?[ \t]*\Z")
_SKIPPED_LINE = re.compile(r"[ \t]*(?:from|import|@|def|async[ \t]+def|class|global|nonlocal|del)\b")
_DEF = re.compile(r"^[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)(.*)", re.MULTILINE)
_ASSIGNED = re.compile(r"^[ \t]*((?:[\w.*]+[ \t]*,[ \t]*)*[\w.*]+)[ \t]*(?::[^=\n]+)?=(?!=)", re.MULTILINE)
_IMPORT = re.compile(r"^[ \t]*(?:from[ \t]+[\w.]+[ \t]+)?import[ \t]+(.*)", re.MULTILINE)
_STAR = re.compile(r"^[ \t]*from[ \t]+[\w.]+[ \t]+import[ \t]*\*", re.MULTILINE)
_OWN = frozenset({*dir(builtins), *keyword.kwlist, "__file__"})
_PREFIXES = frozenset({"r", "b", "u", "f", "rb", "br", "fr", "rf"})
_GENERATOR_TAKERS = frozenset(
    {"sum", "any", "all", "min", "max", "sorted", "list", "set", "tuple", "dict", "frozenset", "join", "enumerate"}
)
_CALLED = re.compile(r"(\w+|[)\]}])[ \t]*\Z")
_PARAMETERS = re.compile(r"\bdef\s+\w+\s*\Z")
_SHORT = 3  # letters of a name that may well have nothing to do with one that is longer

Keywords = Callable[[str, str, int], set[str] | None]


class NameFilter:
    """Which names may be written behind a buffer's text."""

    def __init__(self, around: Iterable[str], statement: str, typed: str, keywords: Keywords) -> None:
        """Read the buffer.

        Args:
            around: All code known of the buffer, in parts; what was typed of the statement too, less what it binds.
            statement: The beginning of that statement: the text judged goes on with it.
            typed: What the user has typed of an answer.
            keywords: Given text, the same without literals and an offset in it, the keywords of the call that is open
                there; None for any.
        """
        self._statement, self._typed_end = statement, len(statement) + len(typed)
        self._keywords = keywords
        found = [_names_in(part) for part in around]
        self._bound = frozenset[str]().union(*(each.names for each in found)) - _OWN
        self._names = Names(self._bound | _OWN)
        self._off = any(each.takes_all for each in found) or not any(
            each.names - each.imported - _OWN for each in found
        )

    @classmethod
    def of(cls, context: Context, keywords: Keywords) -> Self:
        """Read what a context holds."""
        before = context.before.removesuffix(context.typed)
        line = before.rfind("\n") + 1
        begun = _ASSIGNED.sub("", before[line:])  # what it binds is not bound yet
        imported = "\n".join(f"import {name}" for name in Imports([context.head]).paths())
        return cls((before[:line], begun, context.after, imported), context.statement, context.typed, keywords)

    def allows(self, answer: str, since: int) -> bool:
        """Say whether an answer may go on as it does.

        Args:
            answer: The answer so far, the next token included; what it ends in may be unfinished.
            since: Its length without that token.
        """
        if self._off or answer.isspace():
            return True
        text = self._statement + answer
        begin = len(self._statement) + since
        code = without_literals(text)
        closed = any(char in CLOSE for char in code[begin:])
        for match in _NAME.finditer(code):
            start, end = match.span()
            judged = end > self._typed_end and (end >= begin or closed) and not self._is_users(code, start)
            if judged and not self._may_stand(text, code, start, end):
                return False
        return True

    def _may_stand(self, text: str, code: str, start: int, end: int) -> bool:
        name, whole = code[start:end], end < len(code)
        if _is_attribute(code, start) or text[end : end + 1] in ("'", '"') or (not whole and name in _PREFIXES):
            return True
        line = code.rfind("\n", 0, start) + 1
        if _SKIPPED_LINE.match(code, line) or _BINDING.search(code, line, start):
            return True
        inside = _bound_inside(code)
        if name in self._names if whole else self._names.begin_with(name):
            return True
        if name in inside if whole else any(each.startswith(name) for each in inside):
            return True
        above = _bound_above(code[:line])
        if name in above if whole else any(each.startswith(name) for each in above):
            return True
        if _TARGETS.match(code[line:start]) and opened_at(code, start) is None:
            return bool(_TARGET_ENDS.match(code, end)) and not (whole and self._is_slip(name))
        if self._may_be_keyword(text, code, start, end):
            return True
        return _may_be_bound_later(code, start)

    def _is_users(self, code: str, start: int) -> bool:
        """Say whether the user began a name that no known one begins like."""
        return start < self._typed_end and not self._names.begin_with(code[start : self._typed_end])

    def _is_slip(self, name: str) -> bool:
        return len(name) > _SHORT and f"{name}s" in self._bound

    def _may_be_keyword(self, text: str, code: str, start: int, end: int) -> bool:
        before = code[:start].rstrip()[-1:]
        if before not in ("(", ","):
            return False
        opened = opened_at(code, start)
        if opened is None or code[opened] != "(" or not _callee(code, opened):
            return False
        if end < len(code):
            return _is_keyword(code, start, end)
        keywords = self._keywords(text, code, opened)
        return keywords is None or any(each.startswith(code[start:end]) for each in keywords)


def _is_attribute(code: str, start: int) -> bool:
    """Say whether a dot stands before a name; one that ends a number does not stand on the name's line."""
    return _BEHIND_DOT.search(code, max(0, start - 40), start) is not None


class _Found(NamedTuple):
    """Names of a text, those of them that its import statements hold, and whether it takes all of a module."""

    names: frozenset[str]
    imported: frozenset[str]
    takes_all: bool


@lru_cache(8)
def _names_in(source: str) -> _Found:
    """Return the names that a text binds or reads; kept from key to key."""
    code = without_literals(source)
    names: set[str] = set()
    imported: set[str] = set()
    for line in scan(source).lines:
        text = line.text(code)
        (imported if _IMPORT.match(text) else names).update(_names_of_line(text))
    return _Found(frozenset(names | imported), frozenset(imported - names), _STAR.search(code) is not None)


def _names_of_line(line: str) -> Iterator[str]:
    """Yield the names of a logical line that are neither attributes nor keywords of a call."""
    calls: list[bool] = []
    for match in _PIECE.finditer(line):
        piece = match[0]
        if piece in OPEN:
            calls.append(piece == "(" and not _PARAMETERS.search(line, max(0, match.start() - 80), match.start()))
        elif piece in CLOSE:
            del calls[-1:]
        elif not (match["equals"] and calls and calls[-1]) and not _is_attribute(line, match.start()):
            yield match["name"]


def _is_keyword(code: str, start: int, end: int) -> bool:
    """Say whether a name is that of an argument: ``name=`` behind an opening parenthesis or a comma."""
    follows = code[end:].lstrip()
    if not follows.startswith("=") or follows.startswith("=="):
        return False
    opened = opened_at(code, start)
    return opened is not None and code[opened] == "(" and not _PARAMETERS.search(code, max(0, opened - 80), opened)


def _bound_inside(code: str) -> set[str]:
    """Return the names that lambdas, comprehensions, loops and ``as`` bind."""
    found: set[str] = set()
    for match in _BOUND_INSIDE.finditer(code):
        found.update(_NAME.findall(" ".join(group for group in match.groups() if group)))
    return found


def _bound_above(code: str) -> set[str]:
    """Return the names that whole lines assign, import or define."""
    found: set[str] = set()
    for match in _ASSIGNED.finditer(code):
        found.update(_NAME.findall(match[1]))
    for match in _IMPORT.finditer(code):
        found.update(_NAME.findall(match[1]))
    for match in _DEF.finditer(code):
        found.update(_NAME.findall(match[1] + match[2]))
    return found


def _may_be_bound_later(code: str, start: int) -> bool:
    """Say whether a comprehension around `start` that is still open may bind a name."""
    place = start
    while (opened := opened_at(code, place)) is not None:
        place = opened
        if closed_at(code, opened) is not None:
            continue
        callee = _callee(code, opened)
        first = not _has_comma(code[opened + 1 : start])
        if (code[opened] == "(" and first and callee in _GENERATOR_TAKERS | {""}) or (
            code[opened] in "[{" and not callee and (first or code[opened] == "[")
        ):
            return True
    return False


def _has_comma(code: str) -> bool:
    """Say whether a comma stands in none of the brackets that `code` opens."""
    depth = 0
    for char in code:
        depth += (char in OPEN) - (char in CLOSE)
        if char == "," and not depth:
            return True
    return False


def _callee(code: str, opened: int) -> str:
    """Return the name, or the closing bracket, before an opening bracket; "" if it calls or subscripts nothing."""
    match = _CALLED.search(code, max(0, opened - 80), opened)
    return "" if match is None or keyword.iskeyword(match[1]) else match[1]
