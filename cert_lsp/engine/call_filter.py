"""Does a call fit what is called: something that can be called at all, with as many arguments as it takes?

Looked at for every token as part of the `api_filter`, which tells what is called.
"""

import re
from collections.abc import Callable
from functools import cached_property

from cert_lsp.engine.brackets import arguments, opened_at, receiver_start
from cert_lsp.engine.lexer import without_literals
from cert_lsp.engine.values import Class, Function, Module, Value

_WORD = re.compile(r"[^\W\d]\w*")
_NAMED = re.compile(r"[^\W\d]\w*\s*=(?!=)")
_ATTRIBUTE = re.compile(r"\.\s*\w+\s*\Z")
_NOT_CALLED = re.compile(
    r"DataFrame|Series|\w*Index|ndarray|MaskedArray|Timestamp|Timedelta|Period|Interval|Categorical|\w+Properties|StringMethods"
    r"|\w*GroupBy|str|bytes|int|float|complex|bool|list|tuple|dict|set|frozenset|range|slice|NoneType|\w+64|bool_"
)


class CallFilter:
    """Which calls may be written."""

    def __init__(
        self,
        type_of: Callable[[str, str, int, str], Value],
        keywords: Callable[[Value], set[str] | None],
        typed: str,
    ) -> None:
        """Take what tells of calls.

        Args:
            type_of: A text, the same without literals, an expression's offset, the expression -> what it may be.
            keywords: What a call of something takes by name; None for anything.
            typed: The beginning that the user has written: it is not judged.
        """
        self._type_of, self._keywords = type_of, keywords
        self._typed, self._typed_end = typed, len(typed)

    def allows(self, text: str, since: int) -> bool:
        """Say whether the calls may stand that `text` ends, goes on with or is about to, behind offset `since`."""
        if self._typed_is_wrong:
            return True
        code = without_literals(text)
        ends = [place for place in range(max(since, self._typed_end), len(code)) if code[place] in ",)"]
        return not any(self._is_wrong(text, code, end) for end in [*ends, len(code)])

    @cached_property
    def _typed_is_wrong(self) -> bool:
        """Whether the user has typed a call that does not fit; then none is judged."""
        return self._is_wrong(self._typed, without_literals(self._typed), self._typed_end)

    def _is_wrong(self, text: str, code: str, end: int) -> bool:
        """Judge the calls that are open at `end`, by their arguments up to there."""
        opened, inside = opened_at(code, end), False
        while opened is not None:
            if code[opened] == "(" and self._does_not_fit(text, code, opened, end, inside):
                return True
            opened, inside = opened_at(code, opened), True
        return False

    def _does_not_fit(self, text: str, code: str, opened: int, end: int, inside: bool) -> bool:
        """Judge the call whose parenthesis is at `opened`, `inside` whose last argument a bracket is open at `end`."""
        if (begin := receiver_start(text, code, opened)) is None:
            return False
        called = self._type_of(text, code, begin, text[begin:opened])
        if not isinstance(called, Function):
            is_attribute = _ATTRIBUTE.search(code, begin, opened)  # of which what may be called is told by its own name
            return isinstance(called, Module) or (not is_attribute and _is_no_function(called))
        given = arguments(text, code, opened, end)
        if any(each.startswith("*") for each in given):
            return False
        mark = "" if inside else code[end : end + 1]
        wrong = (mark == ")" and _lacks_some(called, given)) or self._has_too_many(called, given, mark)
        return wrong and not self._is_of_class(text, code, begin, opened)

    def _has_too_many(self, called: Function, given: list[str], mark: str) -> bool:
        """Say whether there is no place for so many arguments, the last of which `mark` ends, if anything does yet."""
        if any(entry.places is None for entry in called.entries):
            return False
        if not mark and (word := _WORD.fullmatch(given[-1])):
            taken = self._keywords(called)
            if taken is None or any(each.startswith(word[0]) for each in taken):
                given = given[:-1]  # it may become a name
        unnamed = sum(bool(each) and not _NAMED.match(each) for each in given)
        if mark == "," and all(entry.all_by_place for entry in called.entries):
            unnamed = max(unnamed, len(given) + 1)  # one more is about to come, and it must have a place
        return unnamed > max(entry.places or 0 for entry in called.entries)

    def _is_of_class(self, text: str, code: str, begin: int, opened: int) -> bool:
        """Say whether what is called is a class's function, which takes the object too."""
        return isinstance(self._type_of(text, code, begin, text[begin:opened].rpartition(".")[0]), Class)


def _is_no_function(called: Value) -> bool:
    return isinstance(called, frozenset) and bool(called) and all(_NOT_CALLED.fullmatch(title) for title in called)


def _lacks_some(called: Function, given: list[str]) -> bool:
    """Say whether a call that is complete has fewer arguments than it needs."""
    return sum(map(bool, given)) < min(entry.needed for entry in called.entries)
