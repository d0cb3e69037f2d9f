"""Which types an expression of the buffer may have: enough to tell which attributes are worth writing behind it.

Read are imports, assignments, annotations and docstrings of parameters, line by line, so that unfinished code does no
harm; followed are constructors, readers, literals, operators, subscripts and the index's results through chains of
methods. Nothing is executed. What is not known may be any type of both libraries (`Api.every`); what belongs to another
library or to the user is `None`: it is not judged.
"""

import ast
import builtins
import re
import textwrap
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cert_lsp.engine.api_index import Api, Entry
from cert_lsp.engine.head import LIBRARIES, Imports
from cert_lsp.engine.lexer import Kind, is_block_header, scan

Types = frozenset[str]


@dataclass(frozen=True, slots=True)
class Module:
    """A module of pandas or NumPy, by its dotted name."""

    path: str


@dataclass(frozen=True, slots=True)
class Class:
    """A class itself, not an object of it."""

    title: str


@dataclass(frozen=True, slots=True)
class Function:
    """A function or method: what its versions take and give."""

    entries: tuple[Entry, ...]


Value = Types | Module | Class | Function | None

_USUAL = {"np": "numpy", "pd": "pandas"}
_FOREIGN = frozenset({"plot", "hist", "boxplot"})  # these give objects of Matplotlib
_FRAME, _SERIES = frozenset({"DataFrame"}), frozenset({"Series"})
_LARGE = ("DataFrame", "Series", "ndarray", "Index")
_ARRAYS = frozenset({"MaskedArray", "matrix", "recarray", "chararray"})  # NumPy's functions give these back
_OF_BUILTINS = {
    **{name: name for name in ("int", "float", "str", "bool", "list", "dict", "set", "tuple", "bytes", "complex")},
    **{"len": "int", "sorted": "list", "range": "range", "slice": "slice", "repr": "str", "frozenset": "frozenset"},
}
_PLACEHOLDER = re.compile(r"\$(\w+)")
_FILLS = {"number": "0", "float": "0.0", "floatexponant": "0.0", "complex": "0j", "func": "func", "AnClass": "AnClass"}
_SAID = re.compile(r"^[ \t]*(\*{0,2}\w+)[ \t]*:[ \t]*([^\n]+)$", re.MULTILINE)
_SAYS = re.compile(r"\b(DataFrame|Series|ndarray|\w*Index|Timestamp|int|float|str|bool|dict)\b")
_ARRAY_LIKE = re.compile(
    r"[(\[]|\bof\b|\barrays?\b|like|object|callable|function|sequence|iterable|any\b", re.IGNORECASE
)
_WINDOWS = ("Rolling", "Expanding", "Exponential", "Resampler", "Datetime")
_CONVENTIONS = (
    (re.compile(r"(?:\w+_)?df\d*(?:_\w+)?"), _FRAME),
    (re.compile(r"ser(?:ies)?\d*"), _SERIES),
    (re.compile(r"s\d?"), _SERIES | {"str", "int", "float", "list", "set", "dict", "bytes", "tuple"}),
)
_COLUMNS = re.compile(r"(?:\w+_)?(?:columns|cols)")
_FRAME_NAMES = re.compile(r"(?:.*_)?(?:df\d*|data|frame|ser|series|arr|array|dataframe)(?:_.*)?", re.IGNORECASE)


class Scope:
    """The names of a buffer and their types, as they hold at its end."""

    def __init__(self, api: Api, code: str, around: str = "") -> None:
        """Read the bindings in `code`, whose end the cursor stands at; `around` holds imports that it may lack."""
        self.api = api
        self.paths = {**_USUAL, **Imports([code, around]).paths()}
        foreign = [path for path in self.paths.values() if path.partition(".")[0] not in LIBRARIES]
        self._plain = not foreign and not re.search(r"^[ \t]*class\b", code, re.MULTILINE)
        self._names: dict[str, Value] = {}
        self._read(code)

    def extended(self, code: str) -> "Scope":
        """Return the scope behind further lines."""
        new = Scope.__new__(Scope)
        new.api, new._plain, new._names = self.api, self._plain, dict(self._names)
        new.paths = {**self.paths, **Imports([code]).paths()}
        new._read(code)
        return new

    @property
    def unknown(self) -> Value:
        """What may be any type of both libraries."""
        return self.api.every

    def type_of(self, expression: str, hidden: Iterable[str] = ()) -> Value:
        """Return what an expression may be.

        Args:
            expression: Python code, or a sketch's wire text; anything that does not parse is not known.
            hidden: Names that stand for something else here: parameters of a lambda, variables of a comprehension.
        """
        node = parsed(_PLACEHOLDER.sub(lambda match: _FILLS.get(match[1], "''"), expression).strip())
        if not node or not isinstance(node[0], ast.Expr):
            return self.unknown
        kept = {name: self._names.get(name, self) for name in hidden}
        self._names.update(dict.fromkeys(kept, self.unknown))
        try:
            return self._value(node[0].value)
        finally:
            for name, value in kept.items():
                if value is self:
                    del self._names[name]
                else:
                    self._names[name] = value  # pyright: ignore[reportArgumentType]

    def member(self, owner: Value, name: str) -> Value:
        """Return what an attribute of `owner` is."""
        match owner:
            case Module(path):
                inside = f"{path}.{name}"
                if self.api.has_module(inside):
                    return Module(inside)
                return self._of_entries([self.api.in_module(path, name)], name)
            case Class(title):
                return self._of_entries([self.api.of_type(title, name)], name)
            case frozenset():
                if name in _FOREIGN:
                    return None
                entries = [self.api.of_type(title, name) for title in owner]
                if not any(entries):
                    return _SERIES if "DataFrame" in owner and owner != self.api.every else self.unknown
                return self._of_entries(entries, name)
            case _:
                return None

    def _of_entries(self, entries: Sequence[Entry | None], name: str) -> Value:
        known = [entry for entry in entries if entry]
        if not known or name in _FOREIGN:
            return None
        if known[0].kind == "c":
            titles = known[0].results[0]  # several for what may be a class below it, as an index may
            return Class(name if name in titles else min(titles, default=""))
        if any(entry.kind == "f" for entry in known):
            return Function(tuple(dict.fromkeys(known)))
        return self._union(entry.results[0] for entry in known)

    def _union(self, several: Iterable[Types]) -> Value:
        """Unite types; one that is not known makes all of it not known."""
        united: frozenset[str] = frozenset()
        for types in several:
            if not types:
                return self.unknown
            united |= types
        return (united - {"NoneType"} or united) if united else self.unknown

    # Bindings, line by line

    def _read(self, code: str) -> None:
        scopes: list[tuple[int, dict[str, Value]]] = []
        for line in scan(code).lines:
            if line.kind is Kind.STRING and scopes and line.indent:
                self._said(line.text(code))
            if line.kind is not Kind.CODE:
                continue
            while scopes and len(line.indent) <= scopes[-1][0]:
                self._names = scopes.pop()[1]
            text = line.text(code)
            if text.lstrip().startswith(("def ", "async def ", "if isinstance(", "elif isinstance(")):
                scopes.append((len(line.indent), dict(self._names)))
            for node in parsed(text.strip().removeprefix("el")) or ():
                self._bind(node)
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    scopes[-1][1][node.name] = None

    def _bind(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._assign(target, self._value(value))
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                noted = self._noted(annotation)
                self._names[name] = noted if noted is not None or value is None else self._value(value)
            case ast.AugAssign(target=ast.Name(id=name) as target, op=op, value=value):
                self._names[name] = self._value(ast.BinOp(ast.Name(target.id, ast.Load()), op, value))
            case ast.For(target=target, iter=ast.Call(func=ast.Attribute(attr="iterrows"))):
                self._assign(target, self.unknown)
            case ast.For(target=target, iter=over):
                self._assign(target, None if self._value(over) is None else self.unknown)
            case ast.With(items=items):
                for item in items:
                    if item.optional_vars is not None:
                        self._assign(item.optional_vars, self._value(item.context_expr))
            case ast.FunctionDef(args=args) | ast.AsyncFunctionDef(args=args):
                for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs):
                    judged = arg.arg not in ("self", "cls") and (self._plain or _FRAME_NAMES.fullmatch(arg.arg))
                    unsaid = self._by_convention(arg.arg) if judged else None
                    self._names[arg.arg] = self._noted(arg.annotation) if arg.annotation else unsaid
            case ast.ClassDef(name=name):
                self._names[name] = None
            case ast.If(test=ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name(id=name), kinds])):
                listed = kinds.elts if isinstance(kinds, ast.Tuple) else [kinds]
                self._names[name] = self._any_of(self._noted(kind) for kind in listed)
            case _:
                pass

    def _assign(self, target: ast.expr, value: Value) -> None:
        match target:
            case ast.Name(id=name):
                self._names[name] = value
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                for part in parts:
                    self._assign(part, None if value is None else self.unknown)
            case ast.Starred(value=inner):
                self._assign(inner, value)
            case _:
                pass

    def _noted(self, annotation: ast.expr) -> Value:
        """Return what an annotation names, if it is a type of the libraries or of Python."""
        match annotation:
            case ast.Constant(value=str(text)):
                return self._noted_in(text)
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                sides = [each for each in (self._noted(left), self._noted(right))]
                return frozenset().union(*sides) if all(isinstance(s, frozenset) for s in sides) else None  # type: ignore[arg-type]
            case ast.Constant(value=None):
                return frozenset({"NoneType"})
            case _:
                value = self._value(annotation)
                return frozenset({value.title}) if isinstance(value, Class) else None

    def _noted_in(self, text: str) -> Value:
        node = parsed(text)
        return self._noted(node[0].value) if node and isinstance(node[0], ast.Expr) else None

    def _said(self, docstring: str) -> None:
        """Take the types of parameters that a docstring tells: ``x : pandas.Series``."""
        for name, text in _SAID.findall(docstring):
            titles = frozenset(_SAYS.findall(text)) & self.api.every
            if name in self._names and titles and not _ARRAY_LIKE.search(text):
                self._names[name] = titles

    # Expressions

    def _value(self, node: ast.expr) -> Value:
        match node:
            case ast.Name(id=name):
                return self._named(name)
            case ast.Attribute(value=inner, attr=name):
                return self.member(self._value(inner), name)
            case ast.Call():
                return self._call(node)
            case ast.Subscript(value=inner, slice=key):
                return self._item(inner, key)
            case ast.BinOp(left=left, right=right):
                return self._larger([self._value(left), self._value(right)])
            case ast.Compare(left=left, ops=[operator, *_], comparators=others):
                if isinstance(operator, (ast.In, ast.NotIn, ast.Is, ast.IsNot)):
                    return frozenset({"bool"})
                compared = self._larger([self._value(left), *map(self._value, others)])
                return compared if compared is None or _is_large(compared) else frozenset({"bool", "bool_"})
            case ast.UnaryOp(operand=operand):
                return self._value(operand)
            case ast.BoolOp(values=values):
                return self._any_of(map(self._value, values))
            case ast.IfExp(body=body, orelse=orelse):
                return self._any_of(map(self._value, (body, orelse)))
            case ast.NamedExpr(value=inner):
                return self._value(inner)
            case ast.Constant(value=value):
                return frozenset({type(value).__name__})
            case ast.JoinedStr():
                return frozenset({"str"})
            case ast.List() | ast.ListComp():
                return frozenset({"list"})
            case ast.Dict() | ast.DictComp():
                return frozenset({"dict"})
            case ast.Set() | ast.SetComp():
                return frozenset({"set"})
            case ast.Tuple():
                return frozenset({"tuple"})
            case ast.GeneratorExp():
                return frozenset({"generator"})
            case _:
                return None

    def _named(self, name: str) -> Value:
        if name in self._names:
            return self._names[name]
        if path := self.paths.get(name):
            return self._at(path)
        if name in ("self", "cls"):
            return None
        if name in _OF_BUILTINS and name not in ("len", "sorted", "repr"):
            return Class(name)
        return None if hasattr(builtins, name) else self._by_convention(name)

    def _by_convention(self, name: str) -> Value:
        """Return what a name stands for that nothing binds, or that is a parameter of which nothing is said."""
        return next((titles for usual, titles in _CONVENTIONS if usual.fullmatch(name)), self.unknown)

    def _at(self, path: str) -> Value:
        """Return what an imported dotted name is."""
        if path.partition(".")[0] not in LIBRARIES:
            return None
        if self.api.has_module(path):
            return Module(path)
        parent, _, name = path.rpartition(".")
        return self.member(Module(parent), name) if self.api.has_module(parent) else None

    def _call(self, node: ast.Call) -> Value:
        match node.func:
            case ast.Name(id=name) if name in _OF_BUILTINS and name not in self._names:
                return frozenset({_OF_BUILTINS[name]})
            case ast.Name(id=name) if name not in self._names and name not in self.paths:
                return None
            case _:
                pass
        match self._value(node.func):
            case Class(title):
                return frozenset({title}) if title else self.unknown
            case Function(entries):
                return self._result(entries, node)
            case frozenset() as types:
                return self.unknown if types else None
            case _:
                return None

    def _result(self, entries: Sequence[Entry], node: ast.Call) -> Value:
        given = {keyword.arg for keyword in node.keywords}
        if given & {"chunksize", "iterator"} or any(
            keyword.arg == "sheet_name" and not isinstance(getattr(keyword.value, "value", None), (str, int))
            for keyword in node.keywords
        ):
            return self.unknown  # a reader, or several frames
        several = [entry.results[0] for entry in entries]
        if len(entries) == 1 and len(entries[0].results) == 3 and node.args:
            by_itself, *of_pandas = entries[0].results
            first = self._value(node.args[0])
            if not isinstance(first, frozenset) or first == self.api.every:
                of = [result for result in of_pandas if result]
            else:
                of = [r for title, r in zip(("Series", "DataFrame"), of_pandas, strict=True) if r and title in first]
                if of and first <= {"Series", "DataFrame"}:
                    return self._union([*of, *([] if "axis" not in given else [by_itself])])
            several = [by_itself, *of] if by_itself else [by_itself]
            if isinstance(first, frozenset) and first != self.api.every:
                several += [first & _ARRAYS] if first & _ARRAYS else []
        return self._union(several)

    def _larger(self, sides: Sequence[Value]) -> Value:
        """Return what an operator gives: a frame of a frame and a series, a series of a series and a number."""
        if any(side is None for side in sides):
            return None
        types = [side for side in sides if isinstance(side, frozenset)]
        if len(types) < len(sides) or any(side == self.api.every for side in types):
            known = [side for side in types if side != self.api.every]
            return known[0] if known and known[0] <= _FRAME else self.unknown
        for title in _LARGE:
            having = [side for side in types if title in side]
            if having:
                return frozenset().union(*(side for side in types if _is_large(side)))
        return frozenset().union(*types)

    def _any_of(self, values: Iterable[Value]) -> Value:
        several = list(values)
        if all(isinstance(value, frozenset) for value in several):
            return frozenset().union(*several)  # type: ignore[arg-type]
        return None

    def _item(self, inner: ast.expr, key: ast.expr) -> Value:
        match inner:
            case ast.Attribute(value=owner, attr="loc" | "iloc" as how):
                return self._located(self._value(owner), key, how)
            case ast.Attribute(attr="at" | "iat"):
                return self.unknown
            case _:
                pass
        owner = self._value(inner)
        if not isinstance(owner, frozenset) or owner == self.api.every:
            return None if owner is None else self.unknown
        found = [self._item_of(title, key) for title in owner]
        return self._any_of([each for each in found if each != self.api.every] or found)

    def _item_of(self, title: str, key: ast.expr) -> Value:
        several = self._selects_several(key)
        if title == "DataFrame":
            return _FRAME | _SERIES if several is None else _FRAME if several else _SERIES
        if title == "DataFrameGroupBy":
            single = frozenset({"SeriesGroupBy"})
            return frozenset({title}) | single if several is None else frozenset({title}) if several else single
        if title == "ndarray" and not several:
            return frozenset({title, "int64", "float64", "bool_", "str", "int", "float"})
        if (
            title == "str"
            or several
            or title.startswith(("Rolling", "Expanding", "Exponential", "Resampler", "Datetime"))
        ):
            return frozenset({title})
        return self.unknown

    def _located(self, owner: Value, key: ast.expr, how: str) -> Value:
        if not isinstance(owner, frozenset) or owner == self.api.every:
            return owner if owner is None else self.unknown
        if owner == _SERIES:
            return _SERIES if self._selects_several(key) else self.unknown
        if isinstance(key, ast.Tuple) and len(key.elts) == 2:
            rows, columns = map(self._selects_several, key.elts)
            if rows and columns:
                return _FRAME
            return _SERIES if (rows and columns is False) or (columns and rows is False) else self.unknown
        several = self._selects_several(key)
        return _FRAME if several else _SERIES if how == "iloc" and several is False else _FRAME | _SERIES

    def _selects_several(self, key: ast.expr) -> bool | None:
        """Say whether a subscript takes several items (a list, a slice, a mask) or one; None if that is not known."""
        match key:
            case ast.Constant() | ast.JoinedStr():
                return False
            case ast.UnaryOp(op=ast.USub()):
                return False
            case ast.Name(id=name) if _COLUMNS.fullmatch(name) and self._value(key) == self.unknown:
                return True
            case ast.List() | ast.Slice() | ast.Compare() | ast.ListComp():
                return True
            case _:
                value = self._value(key)
        if not isinstance(value, frozenset) or value == self.api.every:
            return None
        if _is_large(value) or "list" in value:
            return True
        return False if value <= {"str", "int", "float"} else None


def _is_large(value: Value) -> bool:
    return isinstance(value, frozenset) and any(title in value for title in _LARGE)


@lru_cache(4096)
def parsed(text: str) -> tuple[ast.stmt, ...]:
    """Parse a logical line, without its indentation; nothing if it is not Python. A block's header gets a body."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return tuple(ast.parse(textwrap.dedent(text) + (" pass" if is_block_header(text) else "")).body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()


def hidden_names(text: str) -> set[str]:
    """Return the names that lambdas, comprehensions and loops in `text` bind for themselves."""
    found: set[str] = set()
    for match in re.finditer(r"\blambda\b([^:]*)|\bfor\b(.*?)\bin\b|:=", text, re.DOTALL):
        found.update(re.findall(r"[^\W\d]\w*", match[1] or match[2] or ""))
    return found
