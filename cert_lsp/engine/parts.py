"""What the call that made a series or a frame tells of its parts: its index, and of what kind the times in it are.

``pd.Series(pd.date_range("2024", periods=3))`` has a `RangeIndex`, and a `.dt` of dates, not of durations. Where the
call leaves it open, nothing is said, and a part has the type that it has in general.
"""

import ast
from collections.abc import Callable, Mapping

from cert_lsp.engine.values import Class, Types, Value

_TIMES: Mapping[str, str] = {"Datetime": "Timestamp", "Timedelta": "Timedelta", "Period": "Period"}
_READERS = {"to_datetime": "Datetime", "to_timedelta": "Timedelta"}
_LITERALS = (ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.UnaryOp, ast.Attribute)


def parts_of(made: ast.expr, value: Callable[[ast.expr], Value]) -> dict[str, Types]:
    """Return the types of parts of what an expression makes, by the parts' spelling: ``.index``, ``['day'].dt``.

    Args:
        made: The expression.
        value: What an expression may be.
    """
    if kind := _time(made, value):
        return {".dt": frozenset({f"{kind}Properties"})}
    if not isinstance(made, ast.Call) or (maker := value(made.func)) not in (Class("Series"), Class("DataFrame")):
        return {}
    given = {keyword.arg: keyword.value for keyword in made.keywords}
    data, index = (
        made.args[place] if len(made.args) > place else given.get(name) for place, name in enumerate(("data", "index"))
    )
    found: dict[str, Types] = {}
    if of_index := _index(data, index, maker == Class("Series"), value):
        found[".index"] = frozenset({of_index})
    if maker == Class("Series") and data and (kind := _time(data, value)):
        found[".dt"] = frozenset({f"{kind}Properties"})
    if maker == Class("DataFrame") and isinstance(data, ast.Dict):
        times = [(key, _time(column, value)) for key, column in zip(data.keys, data.values, strict=True) if key]
        found |= {f"[{ast.unparse(key)}].dt": frozenset({f"{kind}Properties"}) for key, kind in times if kind}
    return found


def _time(node: ast.expr, value: Callable[[ast.expr], Value]) -> str | None:
    """Return of which kind all values are that an expression holds: `Datetime`, `Timedelta`, `Period`."""
    match node:
        case ast.Call(func=ast.Attribute(attr=reader)) if reader in _READERS:
            return _READERS[reader]
        case ast.List(elts=[first, *rest]):
            kinds = {value(each) for each in (first, *rest)}
            return next((kind for kind, scalar in _TIMES.items() if kinds == {frozenset({scalar})}), None)
        case _:
            found = value(node)
            return next((kind for kind in _TIMES if found == frozenset({f"{kind}Index"})), None)


def _index(
    data: ast.expr | None, index: ast.expr | None, is_series: bool, value: Callable[[ast.expr], Value]
) -> str | None:
    if isinstance(data, ast.Dict) and is_series and index is None:
        index = ast.List([key for key in data.keys if key])
    if index is not None:
        if kind := _time(index, value):
            return f"{kind}Index"
        if isinstance(index, ast.List) and all(isinstance(label, ast.Constant) for label in index.elts):
            return "Index"
        found = value(index)
        one = next(iter(found)) if isinstance(found, frozenset) and len(found) == 1 else ""
        return "RangeIndex" if one == "range" else one if one.endswith("Index") and one != "Index" else None
    match data:
        case ast.List(elts=rows):
            plain = bool(rows) and all(isinstance(row, _LITERALS) for row in rows)
        case ast.Dict(values=columns):
            plain = bool(columns) and all(_is_plain(column, value) for column in columns)
        case _:
            plain = data is not None and _is_plain(data, value)
    return "RangeIndex" if plain else None


def _is_plain(node: ast.expr, value: Callable[[ast.expr], Value]) -> bool:
    """Say whether an expression is a list, an array or an index, which bring no labels with them."""
    found = value(node)
    plain = {"list", "range", "ndarray"}
    return isinstance(found, frozenset) and all(title in plain or title.endswith("Index") for title in found)
