"""API that a newer pandas or NumPy took away, and what is written in its place.

Models know old code. Where the project's version lacks what one has written, and where another spelling does the same
whatever the data, the answer is rewritten: `df.append(x)` becomes `pd.concat([df, x])`. The table holds what changes
no meaning; everything else stays a fault.
"""

import re
from collections.abc import Mapping
from functools import cache

from cert_lsp.engine.values import Module, Value

_FRAMES = {
    "iteritems": "items", "ix": "loc", "pad": "ffill", "backfill": "bfill", "sort": "sort_values",
    "slice_shift": "shift", "tshift": "shift",
}  # fmt: skip
_RENAMED: Mapping[str, Mapping[str, str]] = {
    "numpy": {
        "in1d": "isin", "trapz": "trapezoid", "product": "prod", "cumproduct": "cumprod", "sometrue": "any",
        "alltrue": "all", "row_stack": "vstack", "round_": "round", "float_": "float64", "complex_": "complex128",
        "Inf": "inf", "Infinity": "inf", "infty": "inf", "PINF": "inf", "NaN": "nan", "NAN": "nan", "bool8": "bool_",
        "unicode_": "str_", "string_": "bytes_", "int0": "intp", "mat": "asmatrix",
    },
    "DataFrame": {**_FRAMES, "applymap": "map"},
    "Series": {**_FRAMES, "applymap": "map", "order": "sort_values", "is_monotonic": "is_monotonic_increasing"},
    "Index": {"is_monotonic": "is_monotonic_increasing"},
    "DataFrameGroupBy": {"pad": "ffill", "backfill": "bfill"},
    "SeriesGroupBy": {"pad": "ffill", "backfill": "bfill"},
    "DatetimeProperties": {"week": "isocalendar().week", "weekofyear": "isocalendar().week"},
}  # fmt: skip
_BUILTIN = frozenset({"float", "int", "bool", "str", "object", "complex"})  # np.float was Python's own
_KEYWORDS = {"line_terminator": "lineterminator"}
_DICT = re.compile(r"\s*(?:\{|dict\()")


def successor(owner: Value, name: str) -> str | None:
    """Return what a removed name is called now: another name, or "" where more than the name changes.

    Args:
        owner: What it was an attribute of.
        name: The attribute.

    Returns:
        None if there is no successor.
    """
    if owner == Module("numpy"):
        return "" if name in _BUILTIN else _RENAMED["numpy"].get(name)
    if not isinstance(owner, frozenset) or not owner:
        return None
    if name == "append" and owner <= {"DataFrame", "Series"}:
        return ""
    known = {_RENAMED.get(title, {}).get(name) for title in owner}
    return known.pop() if len(known) == 1 else None


@cache
def removed_names() -> frozenset[str]:
    """Return all names that have a successor somewhere."""
    return frozenset({"append", *_BUILTIN, *(name for names in _RENAMED.values() for name in names)})


def keyword_successor(name: str) -> str | None:
    """Return what a removed keyword is called now, if anything."""
    return _KEYWORDS.get(name)


def rewritten_call(receiver: str, name: str, arguments: str, pandas: str) -> str | None:
    """Return the code in place of ``receiver.name(arguments)``, for a name whose successor is "".

    Args:
        receiver: Code of what it was called on.
        name: The removed method.
        arguments: Code between its parentheses.
        pandas: The name that pandas is imported by.
    """
    if name != "append" or not arguments.strip():
        return None
    parts = split_arguments(arguments)
    first, *rest = (part.strip() for part in parts)
    if re.match(r"\w+\s*=(?!=)", first):
        return None
    added = f"{pandas}.DataFrame([{first}])" if _DICT.match(first) else f"*{first}" if first.startswith("[") else first
    return f"{pandas}.concat({', '.join([f'[{receiver}, {added}]', *rest])})"


def split_arguments(arguments: str) -> list[str]:
    """Cut the code between parentheses at its own commas."""
    parts, depth, last, quote = list[str](), 0, 0, ""
    for at, char in enumerate(arguments):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif char == "," and not depth:
            parts.append(arguments[last:at])
            last = at + 1
    return [*parts, arguments[last:]]
