"""Is a column that is being written one that its frame has? Looked at for every token, on text, as in `api_filter`.

Judged are the strings that must be columns of a frame whose columns the buffer tells (`frames`): in its subscripts, in
the arguments that name columns, as keys of what is said per column. What is stored at the start of a statement may be
new. So are accessors that the column's values lack (``.dt`` of numbers), and columns dropped as if they were rows.
"""

import re
from collections.abc import Collection
from functools import lru_cache
from typing import Self

from cert_lsp.engine.brackets import closed_at, opened_at, receiver_start
from cert_lsp.engine.context import Context
from cert_lsp.engine.frames import Columns, Frames
from cert_lsp.engine.lexer import open_string, strings, without_literals

_ACCESSOR = re.compile(r"\.[ \t]*(dt|str)\b")
_KIND_OF = {"dt": "time", "str": "text"}
_DROP = re.compile(r"\.[ \t]*drop[ \t]*\(")
_SAYS_WHICH = re.compile(r"\b(?:axis|columns|index)[ \t]*=")
_KEYWORD = re.compile(r"(\w+)[ \t]*=[ \t\n]*\Z")
_STORES = re.compile(r"[ \t]*(?:=(?!=)|\Z)")
# method -> places and keywords of the arguments that name columns
_NAMING: dict[str, tuple[Collection[int], Collection[str]]] = {
    "groupby": ({0}, {"by"}),
    "sort_values": ({0}, {"by"}),
    "set_index": ({0}, {"keys"}),
    "drop_duplicates": ({0}, {"subset"}),
    "duplicated": ({0}, {"subset"}),
    "dropna": ((), {"subset"}),
    "value_counts": ({0}, {"subset"}),
    "nlargest": ({1}, {"columns"}),
    "nsmallest": ({1}, {"columns"}),
    "pivot_table": ({0, 1, 2}, {"values", "index", "columns"}),
    "pivot": ((), {"values", "index", "columns"}),
    "melt": ({0, 1}, {"id_vars", "value_vars"}),
    "explode": ({0}, {"column"}),
    "drop": ((), {"columns"}),
    "merge": ((), {"on", "left_on"}),
}
# the same for arguments that are dictionaries with columns as keys
_KEYED: dict[str, tuple[Collection[int], Collection[str]]] = {
    "agg": ({0}, {"func"}),
    "aggregate": ({0}, {"func"}),
    "astype": ({0}, {"dtype"}),
    "rename": ((), {"columns"}),
}


class ColumnFilter:
    """Which columns may be written behind a buffer's text."""

    def __init__(self, around: str, statement: str, typed: str) -> None:
        """Read the buffer.

        Args:
            around: The code above the statement that is being written, and that statement's beginning.
            statement: That beginning: the text judged goes on with it.
            typed: What the user has typed of an answer.
        """
        self._statement, self._typed_end = statement, len(statement) + len(typed)
        above = around.removesuffix(statement)
        self._frames = _frames_in(above[: above.rfind("\n") + 1])
        self._behind: tuple[str, Frames] = ("", self._frames)

    @classmethod
    def of(cls, context: Context) -> Self:
        """Read what a context holds."""
        return cls(context.before.removesuffix(context.typed), context.statement, context.typed)

    def allows(self, answer: str, since: int) -> bool:
        """Say whether an answer may go on as it does.

        Args:
            answer: The answer so far, the next token included; what it ends in may be unfinished.
            since: Its length without that token.
        """
        if not self._frames or answer.isspace():
            return True
        text = self._statement + answer
        begin = len(self._statement) + since
        code = without_literals(text)
        spans = [*strings(text)]
        if (unclosed := open_string(text)) is not None:
            spans.append((unclosed, len(text)))
        return (
            all(self._is_column(text, code, span, span[0] != unclosed) for span in spans if span[0] >= self._typed_end)
            and all(self._has(text, code, match) for match in _ACCESSOR.finditer(code) if match.end() >= begin)
            and not any(self._drops_rows(text, code, match.end() - 1) for match in _DROP.finditer(code))
        )

    def _is_column(self, text: str, code: str, span: tuple[int, int], closed: bool) -> bool:
        start, end = span
        if text[start - 1 : start].isalnum() or text.startswith(('"""', "'''"), start):
            return True
        if not (columns := self._expected(text, code, start)):
            return True
        label = text[start + 1 : end - 1] if closed else text[start + 1 :]
        if label in columns if closed else any(each.startswith(label) for each in columns):
            return True
        return self._is_stored(code, start)

    def _is_stored(self, code: str, start: int) -> bool:
        """Say whether the string at `start` is in the subscript of what a statement assigns, or may be."""
        opened = opened_at(code, start)
        line = code.rfind("\n", 0, start) + 1
        if opened is None or not re.fullmatch(r"[ \t]*\w+", code[line:opened]):
            return False
        closing = closed_at(code, opened)
        return closing is None or _STORES.match(code, closing + 1) is not None

    def _expected(self, text: str, code: str, start: int) -> Columns | None:
        """Return the columns of which the string at `start` must name one; None where it need not."""
        opened, before = opened_at(code, start), code[:start].rstrip()[-1:]
        if opened is None:
            return None
        begin = receiver_start(text, code, opened)
        match code[opened]:
            case "[" if begin is None and before in ("[", ","):  # a list: what is it handed to?
                return self._of_list(text, code, opened)
            case "[" if begin is not None:
                return self._of_subscript(text, code, begin, opened, start)
            case "{" if before in ("{", ","):
                return self._of_argument(text, code, opened, _KEYED)
            case "(":
                return self._of_argument(text, code, start, _NAMING)
            case _:
                return None

    def _of_list(self, text: str, code: str, start: int) -> Columns | None:
        opened = opened_at(code, start)
        if opened is None:
            return None
        begin = receiver_start(text, code, opened)
        if code[opened] == "[" and begin is not None:
            return self._of_subscript(text, code, begin, opened, start)
        return self._of_argument(text, code, start, _NAMING) if code[opened] == "(" else None

    def _of_subscript(self, text: str, code: str, begin: int, opened: int, start: int) -> Columns | None:
        inside, receiver = code[opened + 1 : start], text[begin:opened].rstrip()
        if receiver.endswith(".loc"):
            at_columns = _commas(inside) == 1 and inside.rstrip().endswith(",")
            return self._columns(text, begin, receiver[: -len(".loc")]) if at_columns else None
        return None if inside.strip() else self._columns(text, begin, receiver)

    def _of_argument(
        self, text: str, code: str, start: int, naming: dict[str, tuple[Collection[int], Collection[str]]]
    ) -> Columns | None:
        opened = opened_at(code, start)
        if opened is None or code[opened] != "(" or (begin := receiver_start(text, code, opened)) is None:
            return None
        frame, _, method = text[begin:opened].rstrip().rpartition(".")
        if not frame or method.strip() not in naming:
            return None
        places, keywords = naming[method.strip()]
        inside = code[opened + 1 : start]
        if given := _KEYWORD.search(inside):
            names = given[1] in keywords
        else:
            names = inside.rstrip()[-1:] in ("", ",") and _commas(inside) in places
        return self._columns(text, begin, frame) if names else None

    def _has(self, text: str, code: str, match: re.Match[str]) -> bool:
        """Say whether the accessor may be that of the column before it."""
        begin = receiver_start(text, code, match.start())
        if begin is None or match.start() < self._typed_end:
            return True
        return self._at(text, begin).has_kind(text[begin : match.start()], _KIND_OF[match[1]])

    def _drops_rows(self, text: str, code: str, opened: int) -> bool:
        """Say whether a call of ``drop`` that is complete names columns and does not say so."""
        closing = closed_at(code, opened)
        if closing is None or opened < self._typed_end or _SAYS_WHICH.search(code[opened:closing]):
            return False
        begin = receiver_start(text, code, opened)
        columns = None if begin is None else self._columns(text, begin, text[begin:opened].rpartition(".")[0])
        labels = [text[start + 1 : end - 1] for start, end in strings(text) if opened < start < closing]
        return (
            bool(columns and labels) and _commas(code[opened + 1 : closing]) == 0 and set(labels) <= set(columns or ())
        )

    def _columns(self, text: str, begin: int, frame: str) -> Columns | None:
        return self._at(text, begin).columns_of(frame)

    def _at(self, text: str, begin: int) -> Frames:
        """Return what is known where an expression begins: the lines of the answer above it are read first."""
        above = text[: text.rfind("\n", 0, begin) + 1]
        if self._behind[0] != above:
            self._behind = above, self._frames.extended(above)
        return self._behind[1]


@lru_cache(8)
def _frames_in(code: str) -> Frames:
    """Read a buffer's lines; kept from key to key, for the line that is typed in is not among them."""
    return Frames(code)


def _commas(code: str) -> int:
    """Count the commas that stand in none of the brackets that `code` opens."""
    depth = count = 0
    for char in code:
        depth += (char in "([{") - (char in ")]}")
        count += char == "," and not depth
    return count
