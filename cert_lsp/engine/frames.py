"""Which columns the data frames of a buffer have, where its own lines tell all of them.

Read are literals (``pd.DataFrame({"a": [1]})``, ``columns=["a"]``), stored columns, and methods that keep or name
columns; line by line, so that unfinished code does no harm. A set may hold a column too many, never one too few: a
frame of which a line says something else is not known any more. Nothing is executed.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from typing import Self

from cert_lsp.engine.inference import parsed
from cert_lsp.engine.lexer import Kind, scan

Columns = Mapping[str, str]
"""Column -> what its values are: ``number``, ``text``, ``time``, or "" where that is not known."""

ANY_COLUMN = "any column"
_PLACEHOLDER = re.compile(r"\$(\w+)")
_KEEPING = frozenset(
    {
        "head",
        "tail",
        "copy",
        "sort_values",
        "sort_index",
        "dropna",
        "fillna",
        "ffill",
        "bfill",
        "drop_duplicates",
        "drop",
    }
    | {"query", "sample", "nlargest", "nsmallest", "groupby", "where", "mask", "replace", "convert_dtypes", "round"}
    | {"infer_objects", "set_index", "assign", "rename", "reset_index", "astype", "filter", "reindex", "insert", "pop"}
)
_TIMES = frozenset(
    {"to_datetime", "date_range", "Timestamp", "to_timedelta", "timedelta_range", "period_range", "Timedelta"}
)


class Frames:
    """The frames of a buffer and their columns, as they are at its end."""

    def __init__(self, code: str) -> None:
        """Read the lines of `code`, whose end the cursor stands at."""
        self._frames: dict[str, Columns] = {}
        self._dicts: dict[str, ast.Dict] = {}
        self._read(code)

    def extended(self, code: str) -> Self:
        """Return what is known behind further lines."""
        new = copy(self)
        new._frames, new._dicts = dict(self._frames), dict(self._dicts)
        new._read(code)
        return new

    def __bool__(self) -> bool:
        return bool(self._frames)

    def columns_of(self, expression: str) -> Columns | None:
        """Return the columns of an expression, Python or a sketch's wire text; None if it is no frame that is known."""
        node = _expression(expression)
        return None if node is None else self._columns(node)

    def has_kind(self, expression: str, kind: str) -> bool:
        """Say whether `expression` may be a column of that kind of values."""
        match _expression(expression):
            case ast.Subscript(value=frame, slice=ast.Constant(value=str(name))):
                columns = self._columns(frame)
                if columns is None:
                    return True
                if name in columns:
                    return columns[name] in ("", kind)
                return name != ANY_COLUMN or any(each in ("", kind) for each in columns.values())
            case _:
                return True

    def _read(self, code: str) -> None:
        scopes: list[tuple[int, dict[str, Columns], dict[str, ast.Dict]]] = []
        for line in scan(code).lines:
            if line.kind is not Kind.CODE:
                continue
            while scopes and len(line.indent) <= scopes[-1][0]:
                _, self._frames, self._dicts = scopes.pop()
            for node in parsed(line.text(code).strip()):
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                    scopes.append((len(line.indent), dict(self._frames), dict(self._dicts)))
                self._bind(node)

    def _bind(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign(targets=[target], value=value):
                self._assign(target, value)
            case ast.AnnAssign(target=target, value=value) if value is not None:
                self._assign(target, value)
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name))) as call) if name in self._frames:
                changed = self._columns(call)
                if changed is not None and (_given(call, "inplace") is not None or call.func.attr == "insert"):  # type: ignore[attr-defined]
                    self._frames[name] = changed
            case ast.AugAssign() | ast.Expr() | ast.If() | ast.Return() | ast.Delete() | ast.Assert():
                pass
            case _:
                for inner in ast.walk(node):
                    if isinstance(inner, ast.arg):
                        self._forget(inner.arg)
                    elif isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                        self._forget(inner.id)

    def _forget(self, name: str) -> None:
        self._frames.pop(name, None)
        self._dicts.pop(name, None)

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        match target:
            case ast.Name(id=name):
                columns = self._columns(value)
                self._forget(name)
                if columns is not None:
                    self._frames[name] = columns
                elif isinstance(value, ast.Dict):
                    self._dicts[name] = value
            case ast.Subscript(value=ast.Name(id=name), slice=key) if name in self._frames:
                self._store(name, key, value)
            case ast.Subscript(value=ast.Attribute(value=ast.Name(id=name)), slice=key) if name in self._frames:
                self._store(name, key.elts[-1] if isinstance(key, ast.Tuple) else ast.List([]), value)
            case ast.Attribute(value=ast.Name(id=name), attr="columns") if name in self._frames:
                if (named := _labels(value)) is None:
                    self._forget(name)
                else:
                    self._frames[name] = dict.fromkeys(named, "")
            case ast.Attribute(value=ast.Attribute(value=ast.Name(id=name)), attr="name" | "names"):
                self._add(name, _constants(value))
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                for part in parts:
                    if isinstance(part, ast.Name):
                        self._forget(part.id)
            case _:
                pass

    def _store(self, name: str, key: ast.expr, value: ast.expr) -> None:
        labels = _labels(key) if isinstance(key, ast.List) else None
        match key:
            case ast.Constant(value=str(label)):
                self._frames[name] = {**self._frames[name], label: _kind(value)}
            case _ if labels is not None:
                self._add(name, labels)
            case ast.Name() | ast.Call() | ast.JoinedStr() | ast.BinOp() | ast.Attribute():
                self._forget(name)  # a column whose name is computed
            case _:
                pass

    def _add(self, name: str, labels: Iterable[str]) -> None:
        if name in self._frames:
            self._frames[name] = {**self._frames[name], **dict.fromkeys(labels, "")}

    def _columns(self, node: ast.expr) -> Columns | None:
        match node:
            case ast.Name(id=name):
                return self._frames.get(name)
            case ast.Call(func=ast.Attribute(value=ast.Name(id="pd" | "pandas"), attr="DataFrame")):
                return self._made(node)
            case ast.Call(func=ast.Name(id="DataFrame")):
                return self._made(node)
            case ast.Call(func=ast.Attribute(value=inner, attr=method)) if method in _KEEPING:
                return None if (columns := self._columns(inner)) is None else _after(columns, method, node)
            case ast.Subscript(value=ast.Attribute(value=inner, attr="loc" | "iloc"), slice=key):
                columns = self._columns(inner)
                rows = key.elts[0] if isinstance(key, ast.Tuple) and len(key.elts) == 2 else key
                whole = not isinstance(key, ast.Tuple) or isinstance(key.elts[-1], (ast.Slice, ast.List))
                return columns if whole and isinstance(rows, (ast.Slice, ast.Compare, ast.List, ast.BinOp)) else None
            case ast.Subscript(value=inner, slice=key) if (columns := self._columns(inner)) is not None:
                return self._selected(columns, key)
            case _:
                return None

    def _selected(self, columns: Columns, key: ast.expr) -> Columns | None:
        match key:
            case ast.List():
                labels = _labels(key)
                if labels is None or ANY_COLUMN in labels:
                    return columns
                return {label: columns.get(label, "") for label in labels}
            case ast.Compare() | ast.BinOp() | ast.UnaryOp() | ast.Slice():
                return columns
            case ast.Call(
                func=ast.Attribute(attr="isin" | "isna" | "notna" | "isnull" | "notnull" | "between" | "duplicated")
            ):
                return columns
            case _:
                return None

    def _made(self, call: ast.Call) -> Columns | None:
        """Return the columns of ``pd.DataFrame(...)``."""
        data = call.args[0] if call.args else _given(call, "data")
        if isinstance(data, ast.Name):
            data = self._dicts.get(data.id, data)
        named = call.args[2] if len(call.args) > 2 else _given(call, "columns")
        index = call.args[1] if len(call.args) > 1 else _given(call, "index")
        if isinstance(index, (ast.Name, ast.Attribute, ast.Subscript)):
            return None  # its levels may have names, which stand for columns in some places
        levels = [each.value for each in ast.walk(index) if isinstance(each, ast.keyword)] if index is not None else []
        extra = {label: "" for level in levels for label in _constants(level)}
        inside = _keys(data)
        if named is not None:
            labels = _labels(named)
            return None if labels is None else extra | {label: (inside or {}).get(label, "") for label in labels}
        return None if inside is None else extra | inside


def _after(columns: Columns, method: str, call: ast.Call) -> Columns | None:
    match method:
        case "assign":
            if any(keyword.arg is None for keyword in call.keywords):
                return None
            return {**columns, **{keyword.arg: "" for keyword in call.keywords if keyword.arg}}
        case "rename":
            renamed = _given(call, "columns")
            if not isinstance(renamed, ast.Dict):
                return None
            return {**columns, **dict.fromkeys(_constants(renamed), "")}
        case "reset_index":
            return {**columns, **dict.fromkeys(("index", "level_0", "level_1", *_constants(call)), "")}
        case "set_index" | "astype" | "replace" | "fillna" | "insert" | "reindex" | "where" | "mask":
            added = dict.fromkeys(_constants(call), "") if method in ("insert", "reindex") else {}
            return {**dict.fromkeys(columns, ""), **added}
        case _:
            return columns


def _keys(data: ast.expr | None) -> dict[str, str] | None:
    """Return the columns of a literal of data."""
    match data:
        case ast.Dict(keys=keys, values=values) if all(isinstance(key, ast.Constant) for key in keys):
            return {str(k.value): _kind(v) for k, v in zip(keys, values, strict=True) if isinstance(k, ast.Constant)}
        case ast.Call(func=ast.Name(id="dict"), args=[], keywords=keywords) if all(each.arg for each in keywords):
            return {str(each.arg): _kind(each.value) for each in keywords}
        case ast.List(elts=[ast.Dict(), *_] as rows):
            found = [_keys(row) for row in rows]
            return None if None in found else {key: "" for row in found if row for key in row}
        case _:
            return None


def _labels(node: ast.expr) -> list[str] | None:
    match node:
        case ast.List(elts=parts) | ast.Tuple(elts=parts) if all(isinstance(part, ast.Constant) for part in parts):
            return [str(part.value) for part in parts if isinstance(part, ast.Constant)]
        case ast.Call(func=ast.Name(id="list"), args=[ast.Constant(value=str(letters))]):
            return list(letters)
        case _:
            return None


def _kind(value: ast.expr) -> str:
    """Return what the values are that a column is made of."""
    match value:
        case ast.List(elts=parts) if parts:
            if any(isinstance(part, (ast.List, ast.Tuple)) for part in parts):
                return ""
            kinds = {_kind(part) for part in parts} - {"missing"}
            return kinds.pop() if len(kinds) == 1 else ""
        case ast.Constant(value=None) | ast.Attribute(attr="nan" | "NaN" | "NA" | "NaT"):
            return "missing"
        case ast.Constant(value=str()):
            return "text"
        case ast.Constant(value=int() | float()):
            return "number"
        case ast.UnaryOp(operand=operand):
            return _kind(operand)
        case ast.Call(func=ast.Attribute(attr=name)) if name in _TIMES:
            return "time"
        case ast.Call(func=ast.Name(id="range") | ast.Attribute(attr="arange" | "linspace" | "randn" | "randint")):
            return "number"
        case _:
            return ""


def _given(call: ast.Call, name: str) -> ast.expr | None:
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def _constants(node: ast.AST) -> Iterator[str]:
    return (each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str))


def _expression(text: str) -> ast.expr | None:
    node = parsed(
        _PLACEHOLDER.sub(lambda match: "0" if match[1] in ("number", "float") else repr(ANY_COLUMN), text).strip()
    )
    return node[0].value if node and isinstance(node[0], ast.Expr) else None
