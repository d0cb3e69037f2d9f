"""Source text that runs in the sandbox, under any pandas: written into every test, so that a suite needs no library.

`plain` turns a value into lists, numbers, strings and None, the same under every version: what a user would see, less
names of axes and dtypes. A series whose labels count from nought is the same as the list of its values. `same` compares
such values with a tolerance.
"""

from __future__ import annotations

from typing import Any

PLAIN = """\
import math

import numpy as np
import pandas as pd


def plain(x):
    if isinstance(x, pd.DataFrame):
        return ["frame", plain(x.columns), plain(x.index), [plain(list(x.iloc[:, n])) for n in range(x.shape[1])]]
    if isinstance(x, pd.Series):
        counted = list(x.index) == list(range(len(x)))
        return plain(list(x)) if counted else ["series", plain(x.index), plain(list(x))]
    if isinstance(x, dict):
        return ["dict", sorted(([plain(k), plain(v)] for k, v in x.items()), key=repr)]
    if isinstance(x, (set, frozenset)):
        return ["set", sorted(map(plain, x), key=repr)]
    if isinstance(x, np.ma.MaskedArray) and x.ndim:
        return plain(x.tolist())
    if isinstance(x, (list, tuple, pd.Index, pd.api.extensions.ExtensionArray)) or getattr(x, "ndim", 0):
        return [plain(one) for one in x]
    if isinstance(x, (complex, np.complexfloating)):
        return ["complex", float(x.real), float(x.imag)]
    if isinstance(x, (bool, int, float, np.number, np.bool_)):
        return None if x != x else float(x) if math.isfinite(x) else str(float(x))
    if x is None or x is pd.NA or x is pd.NaT or isinstance(x, (np.datetime64, np.timedelta64)) and np.isnat(x):
        return None
    if isinstance(x, (np.datetime64, np.timedelta64)):
        x = pd.Timestamp(x) if isinstance(x, np.datetime64) else pd.Timedelta(x)
    return str(x)


def same(a, b):
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9)
    return a == b
"""

REPLY = """
import json as _json
class Reply(Exception): pass
"""

SEARCH = '''
def _fits(function, lists):
    """Whether a function gives for two or three argument lists values that depend on them."""
    seen = []
    for n, arguments in enumerate(lists):
        try:
            value = plain(function(*eval("[" + arguments + "]")))
        except Exception:
            if n < 2:
                return False
            continue
        flat = repr(value)
        if value is None or value == [] or flat.count("None") * 12 > len(flat) or " at 0x" in flat or len(flat) > 900:
            return False
        seen.append(flat)
    return len(seen) == len(set(seen)) or len(set(seen)) == 3

_found = next((n for n, lists in enumerate(_combinations) if _fits(_function, lists)), -1)
raise Reply(str(_found))
'''


def reading(prompt: str, answer: str, setup: tuple[str, ...], probes: tuple[str, ...]) -> str:
    """A program that tells the plain values of the probes, by raising them."""
    values = ", ".join(f"plain({probe})" for probe in probes)
    return "\n".join([prompt + answer, PLAIN, REPLY, *setup, f"raise Reply(_json.dumps([{values}]))"])


def searching(prompt: str, answer: str, function: str, combinations: list[tuple[str, str, str]]) -> str:
    """A program that tells which of the combinations a function takes (-1: none), by raising its number."""
    lines = [prompt + answer, PLAIN, REPLY, f"_function = {function}", f"_combinations = {combinations!r}", SEARCH]
    return "\n".join(lines)


def test_source(function: str, setup: tuple[str, ...], probes: tuple[str, ...], values: list[Any]) -> str:
    """The test of a task: `check`, and what it needs."""
    name = "" if function == "none" else function
    body = [*setup, *(f"assert same(plain({p}), {_literal(v)})" for p, v in zip(probes, values, strict=True))]
    lines = "\n".join(f"    {line}" for statement in body for line in statement.split("\n"))
    return f"{PLAIN}\n\ndef check({name}):\n{lines}\n"


def _literal(value: Any) -> str:
    """A value as source, floats at ten digits and whole ones without a point's noise."""
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    return repr(float(f"{value:.10g}")) if isinstance(value, float) else repr(value)
