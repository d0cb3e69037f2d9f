"""Arguments for a function that nobody calls: literals of the kind that its docstring names, else of any kind it takes.

Each kind has three draws, of different sizes and values, so that an answer that is right for one by chance is not for
the next. Which combination of kinds a function takes is found by trying them in the sandbox (`guest.SEARCH`).
"""

from __future__ import annotations

import itertools
import re

MOST_COMBINATIONS = 160
_DAYS = 'pd.date_range("2024-01-01", periods=4)'

DRAWS: dict[str, tuple[str, str, str]] = {
    "floats": (
        "np.array([3.2, 1.5, 4.8, 2.1, 5.0, 0.7])",
        "np.array([0.4, 2.5, 1.1, 3.6, 2.9, 0.8, 1.7])",
        "np.array([1.5, -0.5, 2.25, -3.0, 0.25])",
    ),
    "ints": ("np.array([3, 1, 4, 1, 5, 2])", "np.array([2, 7, 1, 8, 2, 8, 4])", "np.array([5, 0, 2, 2, 3])"),
    "others": (
        "np.array([2.9, 1.9, 4.1, 2.6, 4.4, 1.2])",
        "np.array([0.9, 2.2, 1.8, 3.1, 3.3, 0.5, 1.2])",
        "np.array([1.0, 0.5, 2.5, -2.0, 0.75])",
    ),
    "bools": (
        "np.array([True, False, True, True, False, True])",
        "np.array([False, False, True, True, True, False, True])",
        "np.array([True, False, False, True, False])",
    ),
    "matrix": (
        "np.array([[1.0, 2.5, 3.0], [4.0, 0.5, 6.0], [7.5, 8.0, 2.0], [0.5, 1.5, 9.0]])",
        "np.array([[2.0, 1.0, 0.5], [3.5, 4.0, 1.5], [0.25, 2.5, 6.0], [1.0, 7.0, 3.0]])",
        "np.array([[1.0, -2.0, 0.5], [-1.5, 3.0, 2.0], [0.5, 1.0, -4.0], [2.0, 2.5, 1.0]])",
    ),
    "square": (
        "np.array([[4.0, 1.0, 0.5], [1.0, 3.0, 0.2], [0.5, 0.2, 2.0]])",
        "np.array([[2.0, 0.3, 0.1], [0.3, 5.0, 0.4], [0.1, 0.4, 1.0]])",
        "np.array([[3.0, -1.0, 0.5], [-1.0, 2.0, 0.25], [0.5, 0.25, 4.0]])",
    ),
    "points": (
        "np.array([[0.0, 1.0], [2.0, 0.5], [1.5, 3.0], [4.0, 2.0]])",
        "np.array([[1.0, 1.5], [0.5, 2.5], [3.0, 0.0], [2.0, 4.0]])",
        "np.array([[-1.0, 2.0], [0.5, -0.5], [1.0, 1.0], [2.5, -2.0]])",
    ),
    "three": ("np.array([1.0, 2.0, 2.0])", "np.array([0.5, 3.0, 1.0])", "np.array([2.0, -1.0, 0.5])"),
    "four": ("np.array([0.5, 0.5, 0.5, 0.5])", "np.array([0.8, 0.6, 0.0, 0.0])", "np.array([0.1, 0.7, -0.7, 0.1])"),
    "series": (
        'pd.Series([3.2, 1.5, 4.8, 2.1, 5.0, 0.7], index=pd.date_range("2024-01-01", periods=6))',
        'pd.Series([0.4, 2.5, 1.1, 3.6, 2.9, 0.8, 1.7], index=pd.date_range("2024-03-01", periods=7))',
        'pd.Series([1.5, -0.5, 2.25, -3.0, 0.25], index=pd.date_range("2024-05-01", periods=5))',
    ),
    "frame": (
        f'pd.DataFrame({{"a": [3.2, 1.5, 4.8, 2.1], "b": [1.0, 4.0, 2.0, 3.0]}}, {_DAYS})',
        f'pd.DataFrame({{"a": [0.4, 2.5, 1.1, 3.6], "b": [2.5, 1.5, 4.5, 0.5]}}, {_DAYS})',
        f'pd.DataFrame({{"a": [1.5, -0.5, 2.0, -3.0], "b": [1.0, 2.0, -1.0, 0.5]}}, {_DAYS})',
    ),
    "numbers": ("[3.0, 1.0, 4.0, 1.5]", "[2.0, 7.0, 1.0, 8.0, 2.5]", "[0.5, 0.25, 2.0]"),
    "int": ("2", "3", "4"),
    "float": ("0.5", "1.5", "0.25"),
    "texts": ('["b", "a", "c", "a"]', '["x", "y", "x"]', '["p", "q", "r", "q", "q"]'),
    "text": ('"a"', '"b"', '"a"'),
    "bool": ("True", "False", "True"),
}  # fmt: skip

_ARRAYS = ("floats", "matrix", "square", "points", "three", "four", "ints", "bools")
_BY_TYPE: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"data ?frame", ("frame",)),
    (r"series", ("series",)),
    (r"\b(4,?\)|4 element|quaternion)", ("four", "floats")),
    (r"\b(3,?\)|3 element|3-?d vector)", ("three", "matrix", "floats")),
    (r"(n|m|\w+), ?2\)", ("points",)),
    (r"(n|m|\w+), ?3\)", ("matrix", "square")),
    (r"square|symmetric|3, ?3\)|covariance", ("square",)),
    (r"2-?d|matrix|\(\w+, ?\w+\)", ("matrix", "square", "points")),
    (r"bool.*(array|mask)|(array|mask).*bool", ("bools",)),
    (r"int.*array|array.*int", ("ints", "floats")),
    (r"array|ndarray|vector|1-?d", _ARRAYS),
    (r"list|sequence|iterable|tuple", ("numbers", "floats", "texts", "matrix")),
    (r"\bint", ("int", "ints")),
    (r"float|scalar|number|numeric|real", ("float", "int", "floats")),
    (r"\bstr", ("text", "texts")),
    (r"bool", ("bool",)),
)
_BY_NAME: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"^(df|frame|dataframe|prices)$", ("frame",)),
    (r"^(returns?|series|ser)$", ("series", "frame", "floats")),
    (r"^(mat|matrix|m|cov)$", ("matrix", "square")),
    (r"^(n|k|num\w*|order|window|lag)$", ("int",)),
    (r"mask", ("bools",)),
)
_ANY = ("floats", "matrix", "series", "frame", "square", "three", "four", "points", "int", "float", "ints", "numbers")


def kinds_of(name: str, type_text: str) -> tuple[str, ...]:
    """The kinds of argument to try for a parameter, the likeliest first."""
    for table, text in ((_BY_TYPE, type_text), (_BY_NAME, name.lower())):
        found = [kinds for pattern, kinds in table if re.search(pattern, text)]
        if found:
            return tuple(dict.fromkeys(itertools.chain.from_iterable(found)))
    return _ANY


def combinations(searched: tuple[tuple[str, tuple[str, ...]], ...]) -> list[tuple[str, str, str]]:
    """Argument lists to try, each in its three draws; two arguments of one kind differ."""
    tried = itertools.islice(itertools.product(*(kinds for _, kinds in searched)), MOST_COMBINATIONS)
    return [tuple(", ".join(_texts(kinds, draw)) for draw in range(3)) for kinds in tried]  # type: ignore[misc]


def _texts(kinds: tuple[str, ...], draw: int) -> list[str]:
    texts: list[str] = []
    for kind in kinds:
        text = DRAWS[kind][draw]
        if text in texts:
            text = DRAWS["others"][draw] if kind == "floats" else DRAWS[kind][(draw + texts.count(text)) % 3]
        texts.append(text)
    return texts
