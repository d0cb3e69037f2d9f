"""Is what is being written API that exists? Looked at for every token, on text, because tokens end anywhere.

An attribute behind a dot must be, or begin, one that its receiver may have (`inference`) in the project's versions
(`api_index`); an argument's name must be a keyword of what is called. Columns and labels that the buffer knows may
stand for attributes of frames as long as they are not called, and what the user's own text uses on a receiver is right.

An `ApiFilter` serves one request: it knows the buffer up to the cursor.
"""

import builtins
import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import Self

from cert_lsp.engine.api_index import Entry, Names, Versions, api_of
from cert_lsp.engine.brackets import CLOSE, arguments, closed_at, opened_at, receiver_start
from cert_lsp.engine.call_filter import CallFilter
from cert_lsp.engine.context import Context
from cert_lsp.engine.inference import Scope, hidden_names
from cert_lsp.engine.lexer import strings, without_literals
from cert_lsp.engine.successors import keyword_successor, removed_names, rewritten_call, successor
from cert_lsp.engine.values import Class, Function, Module, Value, given_by

_WORD = re.compile(r"[^\W\d]\w*")
_DOT = re.compile(r"\.[ \t]*(?P<name>[^\W\d]\w*)?")
_ARGUMENT = re.compile(r"(?P<open>[(,])\s*(?P<name>[^\W\d]\w*)(?P<rest>\s*(?P<equals>=(?!=))?)")
_USE = re.compile(r"(\w|[)\]])\s*\.\s*([^\W\d]\w*)")
_LABELLED = frozenset({"DataFrame", "Series", "DataFrameGroupBy", "Rolling", "Expanding", "Resampler"})
_LABELLED_FREELY = _LABELLED - {"Series"}
_IMPORT_LINE = re.compile(r"[ \t]*(?:from|import)\b|[ \t]*@")
_GIVEN_TO = re.compile(r"\.\s*(?P<method>\w+)\s*\(\s*(?:\w+\s*=\s*)?lambda\s+(?P<name>\w+)\s*:")
_FUNC = re.compile(r"func\s*=\s*")
_LAMBDA = re.compile(r"lambda\b([^:]*):")
_DOTTED = re.compile(r"[^\W\d]\w*(?:\.\w+)+")
_QUOTED = re.compile(r"[`'\"](\w+)[`'\"]")
# The columns of such a frame are in the code: a word of prose names none.
_FRAME_OF_LITERALS = re.compile(r"\bDataFrame\(\s*\{|\bDataFrame\([^\n]*\bcolumns\s*=\s*\[")
_SERIES = re.compile(r"\bSeries\b")
_MOST_MENDED = 8
_MOSTLY_HELD = ("DataFrame", "Series", "ndarray", "Index", "DataFrameGroupBy", "SeriesGroupBy", "str", "list", "dict")


@dataclass(frozen=True, slots=True)
class Fault:
    """A name that does not exist where it stands.

    Attributes:
        name: The attribute or keyword.
        start: Its offset.
        end: The offset behind it.
        owner: What it was looked for in.
    """

    name: str
    start: int
    end: int
    owner: Value


class ApiFilter:
    """What may be written behind a buffer's text."""

    def __init__(
        self,
        around: str,
        statement: str,
        typed: str,
        versions: Versions,
        imports: str = "",
        intent: str = "",
        *,
        mends: bool = True,
    ) -> None:
        """Read the buffer.

        Args:
            around: The code above the statement that is being written, and that statement's beginning.
            statement: That beginning: the text judged goes on with it.
            typed: What the user has typed of an answer.
            versions: The project's.
            imports: Code with imports that `around` may lack.
            intent: What is asked for, in words.
            mends: Whether answers are mended afterwards, so that removed API with a successor may be written.
        """
        self._mends = mends
        # Where the words speak of a series, what is given may be one, and has to take the keywords.
        self._held = ("Series",) if _SERIES.search(intent) else _MOSTLY_HELD
        self._statement, self._typed = statement, statement + typed
        self._typed_end = len(self._typed)
        self._api = api_of(versions)
        self._scope = Scope(self._api, around.removesuffix(statement), imports)
        self._behind = {"": self._scope}
        code = without_literals(around)
        prose = "".join(char if blank == " " else " " for char, blank in zip(around, code, strict=True))
        self._labels = frozenset(word for begin, end in strings(around) for word in _WORD.findall(around[begin:end]))
        self._words = self._labels.union(
            (match[2] for match in _USE.finditer(code) if code[match.end() :].lstrip()[:1] != "("),
            _QUOTED.findall(prose),
            () if _FRAME_OF_LITERALS.search(code) else _WORD.findall(prose),
        )
        self._names = Names({*_WORD.findall(around), *dir(builtins), *keyword.kwlist, *self._scope.paths})
        self._used = {
            (before, name)
            for before, name in ((_last_word(code, match.start() + 1), match[2]) for match in _USE.finditer(code))
        }
        self._seen: dict[tuple[str, str, tuple[tuple[str, Value], ...]], Value] = {}
        self._calls = CallFilter(self._type_of, lambda called: self._keywords(called, None), self._typed)

    @classmethod
    def of(cls, context: Context, *, mends: bool = True) -> Self:
        """Read what a context holds."""
        around = context.before.removesuffix(context.typed)
        return cls(
            around, context.statement, context.typed, context.versions, context.head, context.intent, mends=mends
        )

    def allows(self, answer: str, since: int) -> bool:
        """Say whether an answer may go on as it does.

        Args:
            answer: The answer so far, the next token included; what it ends in may be unfinished.
            since: Its length without that token.
        """
        if answer.isspace():
            return True
        text, begin = self._statement + answer, len(self._statement) + since
        return next(self._faults(text, begin, finished=False), None) is None and self._calls.allows(text, begin)

    def mended(self, answer: str) -> str | None:
        """Return a complete answer with successors in place of what the project's versions no longer have.

        Returns:
            None if something that does not exist would be left.
        """
        for _ in range(_MOST_MENDED):
            if not (faults := self.faults(answer)):
                return answer
            if (mended := self._mend(answer, faults[0])) is None:
                return None
            answer = mended
        return None

    def _mend(self, answer: str, fault: Fault) -> str | None:
        before, behind = answer[: fault.start], answer[fault.end :]
        text, size = self._statement + answer, len(self._statement)
        code = without_literals(text)
        dot = len(code[: size + fault.start].rstrip()) - 1
        if code[dot] != ".":
            renamed = keyword_successor(fault.name)
            return None if renamed is None else before + renamed + behind
        if (renamed := successor(fault.owner, fault.name)) is None:
            return None
        if renamed:
            return before + renamed + behind
        begin = receiver_start(text, code, dot)
        if begin is None or begin < size:
            return None
        if isinstance(fault.owner, Module):
            return answer[: begin - size] + fault.name + behind
        opened = size + fault.end
        pandas = next((name for name, path in self._scope.paths.items() if path == "pandas"), "pd")
        closed = closed_at(code, opened)
        if closed is None:
            return None
        called = rewritten_call(text[begin:dot], fault.name, text[opened + 1 : closed], pandas)
        return None if called is None else answer[: begin - size] + called + text[closed + 1 :]

    def faults(self, answer: str) -> list[Fault]:
        """Return what does not exist in an answer that is complete, with offsets in it, in the order of the text."""
        size = len(self._statement)
        found = self._faults(self._statement + answer, size, finished=True)
        return sorted(
            (Fault(each.name, each.start - size, each.end - size, each.owner) for each in found), key=lambda f: f.start
        )

    def _faults(self, text: str, since: int, *, finished: bool) -> Iterator[Fault]:
        """Judge all names that stand, in part at least, behind offset `since`, or that end there."""
        if not finished and not _touches(text, since):
            return
        code = without_literals(text)
        for match in _DOT.finditer(code):
            if match.end() >= since and match["name"] and match.end() > len(self._statement):
                whole = finished or match.end() < len(code)
                if fault := self._attribute(text, code, match, whole, finished):
                    yield fault
        for match in _ARGUMENT.finditer(code):
            if match.end("name") >= since - 1 and match.end() > len(self._statement):
                whole = finished or match.end("rest") < len(code) or bool(match["equals"])
                if fault := self._argument(text, code, match, whole, finished):
                    yield fault

    def _attribute(self, text: str, code: str, match: re.Match[str], whole: bool, finished: bool) -> Fault | None:
        name, dot = match["name"], match.start()
        begin = receiver_start(text, code, dot)
        if begin is None or name.startswith("_"):
            return None
        receiver = text[begin:dot]
        if _IMPORT_LINE.match(code, code.rfind("\n", 0, dot) + 1):
            return None
        owner = self._type_of(text, code, begin, receiver)
        if owner is None:
            return None
        called = code[match.end() :].lstrip()[:1] == "(" if whole else False
        last = _last_word(code, dot)
        if (last, name) in self._used or (not whole and any(b == last and n.startswith(name) for b, n in self._used)):
            return None
        names = self._names_of(owner)
        if (name in names) if whole else names.begin_with(name):
            uncallable = called and self._is_plain_value(owner, name)
            return Fault(name, match.start("name"), match.end("name"), owner) if uncallable else None
        if match.start("name") < self._typed_end:
            typed = text[match.start("name") : self._typed_end]
            if match.end() <= self._typed_end or not names.begin_with(typed):
                return None  # the user typed it
        if not finished and self._mends and self._has_successor(owner, name, begin, whole):
            return None
        if not called and isinstance(owner, frozenset) and self._is_label(text, owner, name, whole):
            return None
        return Fault(name, match.start("name"), match.end("name"), owner)

    def _has_successor(self, owner: Value, name: str, begin: int, whole: bool) -> bool:
        """Say whether a removed name may be written all the same, because it will be rewritten."""
        removed = [name] if whole else [each for each in removed_names() if each.startswith(name)]
        found = [successor(owner, each) for each in removed]
        return any(each or (each == "" and begin >= len(self._statement)) for each in found)

    def _names_of(self, owner: Value) -> Names:
        match owner:
            case Module(path):
                return self._api.names_in(path)
            case Class(title):
                return self._api.attributes(frozenset({title}))
            case frozenset():
                return self._api.attributes(owner)
            case Function(entries):
                return self._api.attributes(frozenset({"ufunc"} if len(entries[0].results) == 3 else ()))
            case None:
                return Names(())

    def _is_plain_value(self, owner: Value, name: str) -> bool:
        """Say whether an attribute is known to be a value that cannot be called, such as ``df.shape``."""
        if not isinstance(owner, frozenset) or owner == self._scope.unknown:
            return False
        entries = [entry for title in owner if (entry := self._api.of_type(title, name))]
        return all(
            entry.kind == "v" and entry.results[0] and not any(title.endswith("Indexer") for title in entry.results[0])
            for entry in entries
        )

    def _is_label(self, text: str, owner: frozenset[str], name: str, whole: bool) -> bool:
        """Say whether a name may be that of a column, or of a label of a series, that the text knows."""
        if not owner & _LABELLED:
            return False
        known = self._words if owner & _LABELLED_FREELY else self._labels
        known |= {word for begin, end in strings(text) for word in _WORD.findall(text[begin:end])}
        known |= set(re.findall(r"(?<![\w.])(\w+)\s*=(?!=)", text))
        return name in known if whole else any(each.startswith(name) for each in known)

    def _argument(self, text: str, code: str, match: re.Match[str], whole: bool, finished: bool) -> Fault | None:
        name = match["name"]
        if (whole and not match["equals"]) or keyword.iskeyword(name):
            return None
        opened = match.start() if match["open"] == "(" else opened_at(code, match.start())
        if opened is None or code[opened] != "(" or re.search(r"\blambda\b[^:()]*$", code[opened : match.start() + 1]):
            return None
        begin = receiver_start(text, code, opened)
        if begin is None or re.search(r"\b(?:def|class)\s+$", code[:begin]):
            return None
        called = self._commonest(text, code, begin, text[begin:opened])
        taken = self._keywords(called, self._passed(text, code, opened, match.start()))
        if taken is None or name in taken or (self._mends and not finished and keyword_successor(name)):
            return None
        if not whole:
            others = self._names.begin_with(name) or any(
                w.startswith(name) for w in _WORD.findall(code[: match.start()])
            )
            if others or len(name) < 3 or any(each.startswith(name) for each in taken):
                return None
        return Fault(name, match.start("name"), match.end("name"), called)

    def keywords_at(self, text: str, code: str, opened: int) -> set[str] | None:
        """Return what the call whose parenthesis is at `opened` takes by name; None for anything.

        Args:
            text: The statement's beginning and the answer so far.
            code: The same without literals.
            opened: The offset of the opening parenthesis.
        """
        begin = receiver_start(text, code, opened)
        return None if begin is None else self._keywords(self._type_of(text, code, begin, text[begin:opened]), None)

    def _commonest(self, text: str, code: str, begin: int, expression: str) -> Value:
        """Return what is called; of something of which nothing is known, the method of what is mostly held."""
        called = self._type_of(text, code, begin, expression)
        of, dot, name = expression.rpartition(".")
        if isinstance(called, Function) and dot and self._type_of(text, code, begin, of) == self._scope.unknown:
            held = tuple(e for title in self._held if (e := self._api.of_type(title, name.strip())) and e.kind == "f")
            return Function(held) if held else called
        return called

    def _passed(self, text: str, code: str, opened: int, end: int) -> set[str] | None:
        """Return the keywords of the function that a call gets first, to pass arguments on to; None if it gets none."""
        first = _FUNC.sub("", arguments(text, code, opened, end)[0], count=1)
        if passed := _LAMBDA.match(first):
            return set(_WORD.findall(passed[1]))
        function = self._type_of(text, code, opened + 1, first) if _DOTTED.fullmatch(first) else None
        if not isinstance(function, Function) or (taken := self._keywords(function, None)) is None:
            return None
        replaced = self._api.of_type("DataFrame", first.rpartition(".")[2])  # np.mean stands for the frame's own mean
        return taken | (replaced.named if replaced else set())

    def _keywords(self, called: Value, passed: set[str] | None) -> set[str] | None:
        """Return the keywords that a call takes, with those of a function that is `passed` to it; None for any."""
        match called:
            case Function(entries):
                several: tuple[Entry, ...] = entries
            case Class(title):
                modules = (self._api.in_module(path, title) for path in ("pandas", "numpy"))
                several = tuple(entry for entry in modules if entry and entry.kind == "c")
            case _:
                return None
        taken: set[str] = set()
        for entry in several:
            if entry.keywords is None and passed is not None and entry.named:
                taken |= {*entry.named, *passed}
            elif entry.kind not in "fc" or entry.keywords is None:
                return None
            else:
                taken |= entry.keywords
        return taken if several else None

    def _type_of(self, text: str, code: str, begin: int, expression: str) -> Value:
        """Infer an expression of the answer; the lines of the answer above it are read first."""
        line = code.rfind("\n", 0, begin) + 1
        above = text[:line] if line else ""
        if above not in self._behind:
            self._behind[above] = self._scope.extended(above) if above.strip() else self._scope
        scope = self._behind[above]
        hidden: dict[str, Value] = dict.fromkeys(hidden_names(code[line:]), scope.unknown)
        for match in _GIVEN_TO.finditer(code, line) if hidden else ():
            start = receiver_start(text, code, match.start())
            owner = None if start is None else scope.type_of(text[start : match.start()], hidden)
            hidden[match["name"]] = given_by(owner, match["method"]) or scope.unknown
        key = above, expression, tuple(sorted(hidden.items(), key=itemgetter(0)))
        if key not in self._seen:
            self._seen[key] = scope.type_of(expression, hidden)
        return self._seen[key]


def _touches(text: str, since: int) -> bool:
    """Say whether the text behind `since` can make or end a name that is judged: not where it is far from one."""
    start = since
    while start and (text[start - 1].isalnum() or text[start - 1] in "_ \t="):
        start -= 1
    return start == 0 or any(char in ".(,\n" for char in text[start - 1 :])


def _last_word(code: str, end: int) -> str:
    """Return the name, or the closing bracket, that ends at `end`."""
    at = len(code[:end].rstrip())
    if at and code[at - 1] in CLOSE:
        return code[at - 1]
    begin = at
    while begin and (code[begin - 1].isalnum() or code[begin - 1] == "_"):
        begin -= 1
    return code[begin:at]
