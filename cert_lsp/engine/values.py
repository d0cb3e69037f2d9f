"""What an expression may be: types of pandas, NumPy and Python, modules, classes, functions.

Followed are constructors, readers, literals, operators, subscripts and the index's results through chains of methods.
Nothing is executed. What is not known may be any type of the libraries that the buffer uses; what belongs to another
library or to the user is `None`: it is not judged. Names get their values in `inference`.
"""

import ast
import builtins
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cert_lsp.engine.api_index import Api, Entry
from cert_lsp.engine.head import LIBRARIES

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
_FOREIGN = frozenset({"plot", "hist", "boxplot"})  # these give objects of Matplotlib
_FRAME, _SERIES = frozenset({"DataFrame"}), frozenset({"Series"})
_LARGE = ("DataFrame", "Series", "ndarray", "Index")
_ARRAYS = frozenset({"MaskedArray", "matrix", "recarray", "chararray"})  # NumPy's functions give these back
_OF_BUILTINS = {
    **{name: name for name in ("int", "float", "str", "bool", "list", "dict", "set", "tuple", "bytes", "complex")},
    **{"len": "int", "sorted": "list", "range": "range", "slice": "slice", "repr": "str", "frozenset": "frozenset"},
}
_WINDOWS = ("Rolling", "Expanding", "Exponential", "Resampler", "Datetime")
_CONVENTIONS = (
    (re.compile(r"(?:\w+_)?df\d*(?:_\w+)?"), _FRAME),
    (re.compile(r"ser(?:ies)?\d*"), _SERIES),
    (re.compile(r"s\d?"), _SERIES | {"str", "int", "float", "list", "set", "dict", "bytes", "tuple"}),
)
_COLUMNS = re.compile(r"(?:\w+_)?(?:columns|cols)")


# Who hands what to a function: the rows and columns of a frame are series, and so on.
_GIVEN = {
    **{("DataFrameGroupBy", method): _FRAME for method in ("apply", "filter")},
    **{("SeriesGroupBy", method): _SERIES for method in ("apply", "filter", "transform", "agg", "aggregate")},
    **{("DataFrame", method): _SERIES for method in ("apply", "agg", "aggregate", "transform")},
    **{("DataFrame", method): _FRAME for method in ("pipe", "assign")},
    **{("DataFrameGroupBy", method): _SERIES for method in ("agg", "aggregate")},
    ("Series", "pipe"): _SERIES,
}


def given_by(owner: "Value", method: str) -> Types | None:
    """Return what a method of `owner` hands to the function that it gets, if that is known."""
    title = next(iter(owner)) if isinstance(owner, frozenset) and len(owner) == 1 else ""
    return _GIVEN.get((title, method))


class Expressions:
    """Values of expressions, given those of the names in them."""

    def __init__(self, api: Api, paths: Mapping[str, str], names: dict[str, Value], unknown: Types) -> None:
        """Take what is known of names.

        Args:
            api: What the libraries have.
            paths: What imported names stand for, dotted.
            names: The values of the other names, and of parts of what they hold (``df.index``, ``df['day'].dt``) where
                more is known of them than the whole's type tells.
            unknown: What may be what is not known.
        """
        self.api, self.paths, self.names, self.unknown = api, paths, names, unknown

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
                    return _SERIES if "DataFrame" in owner and owner != self.unknown else self.unknown
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

    def _union(self, several: Iterable[Types]) -> Types:
        """Unite types; one that is not known makes all of it not known."""
        united: frozenset[str] = frozenset()
        for types in several:
            if not types:
                return self.unknown
            united |= types
        return (united - {"NoneType"} or united) if united else self.unknown

    def value(self, node: ast.expr) -> Value:
        """Return what an expression may be."""
        match node:
            case ast.Name(id=name):
                return self._named(name)
            case ast.Attribute(attr="index" | "dt") if (part := ast.unparse(node)) in self.names:
                return self.names[part]
            case ast.Attribute(value=inner, attr=name):
                return self.member(self.value(inner), name)
            case ast.Call():
                return self._call(node)
            case ast.Subscript(value=inner, slice=key):
                return self._item(inner, key)
            case ast.BinOp(left=left, right=right):
                return self._larger([self.value(left), self.value(right)])
            case ast.Compare(left=left, ops=[operator, *_], comparators=others):
                if isinstance(operator, (ast.In, ast.NotIn, ast.Is, ast.IsNot)):
                    return frozenset({"bool"})
                compared = self._larger([self.value(left), *map(self.value, others)])
                return compared if compared is None or is_large(compared) else frozenset({"bool", "bool_"})
            case ast.UnaryOp(operand=operand):
                return self.value(operand)
            case ast.BoolOp(values=values):
                return self.any_of(map(self.value, values))
            case ast.IfExp(body=body, orelse=orelse):
                return self.any_of(map(self.value, (body, orelse)))
            case ast.NamedExpr(value=inner):
                return self.value(inner)
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
        if name in self.names:
            return self.names[name]
        if path := self.paths.get(name):
            return self._at(path)
        if name in ("self", "cls"):
            return None
        if name in _OF_BUILTINS and name not in ("len", "sorted", "repr"):
            return Class(name)
        return None if hasattr(builtins, name) else self.by_convention(name)

    def by_convention(self, name: str) -> Value:
        """Return what a name stands for that nothing binds, or that is a parameter of which nothing is said."""
        usual = next((titles for usual, titles in _CONVENTIONS if usual.fullmatch(name)), self.unknown)
        return usual & self.unknown or self.unknown

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
            case ast.Name(id=name) if name in _OF_BUILTINS and name not in self.names:
                return frozenset({_OF_BUILTINS[name]})
            case ast.Name(id=name) if name not in self.names and name not in self.paths:
                return None
            case _:
                pass
        match self.value(node.func):
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
            value = self.value(node.args[0])
            first = value if isinstance(value, frozenset) else self.unknown
            of = [r for title, r in zip(("Series", "DataFrame"), of_pandas, strict=True) if r and title in first]
            if of and first <= {"Series", "DataFrame"}:
                return self._union([*of, *([] if "axis" not in given else [by_itself])])
            several = [by_itself, *of] if by_itself else [by_itself]
            if first != self.unknown:
                several += [first & _ARRAYS] if first & _ARRAYS else []
        return self._union(several)

    def _larger(self, sides: Sequence[Value]) -> Value:
        """Return what an operator gives: a frame of a frame and a series, a series of a series and a number."""
        if any(side is None for side in sides):
            return None
        types = [side for side in sides if isinstance(side, frozenset)]
        if len(types) < len(sides) or any(side == self.unknown for side in types):
            known = [side for side in types if side != self.unknown]
            return known[0] if known and known[0] <= _FRAME else self.unknown
        return _FRAME if _FRAME in types else _united([side for side in types if is_large(side)] or types)

    def any_of(self, values: Iterable[Value]) -> Value:
        """Unite values; one that is no object, or not judged, makes all of it not judged."""
        several = list(values)
        known = [value for value in several if isinstance(value, frozenset)]
        return _united(known) if len(known) == len(several) else None

    def _item(self, inner: ast.expr, key: ast.expr) -> Value:
        match inner:
            case ast.Attribute(value=owner, attr="loc" | "iloc" as how):
                return self._located(self.value(owner), key, how)
            case ast.Attribute(attr="at" | "iat"):
                return self.unknown
            case _:
                pass
        owner = self.value(inner)
        if not isinstance(owner, frozenset) or owner == self.unknown:
            return None if owner is None else self.unknown
        found = [self._item_of(title, key) for title in owner]
        return self.any_of([each for each in found if each != self.unknown] or found)

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
        if not isinstance(owner, frozenset) or owner == self.unknown:
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
            case ast.Name(id=name) if _COLUMNS.fullmatch(name) and self.value(key) == self.unknown:
                return True
            case ast.List() | ast.Slice() | ast.Compare() | ast.ListComp():
                return True
            case _:
                value = self.value(key)
        if not isinstance(value, frozenset) or value == self.unknown:
            return None
        if is_large(value) or "list" in value:
            return True
        return False if value <= {"str", "int", "float"} else None


def _united(several: Iterable[Types]) -> Types:
    united: Types = frozenset()
    for types in several:
        united |= types
    return united


def is_large(value: Value) -> bool:
    """Say whether a value may be a frame, a series, an index or an array."""
    return isinstance(value, frozenset) and any(title in value for title in _LARGE)
