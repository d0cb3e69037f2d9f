"""Does the intent settle the answer? A constant of the answer must be told, or follow from the words.

`df.fillna(0)` for "Fill the missing values" can only be guessed: such a task measures luck. So each number and string
of the code must stand in the words or in the code above the cursor, or be one that the words imply (`"D"` for "day",
`axis=1`, `0.95` for "95 percent").
"""

from __future__ import annotations

import ast
import re

_NUMBER_WORDS = {
    0: "first zero start begin", 1: "one first single next unit previous",
    2: "two second twice double square half pair",
    3: "three third", 4: "four fourth quarter", 5: "five", 6: "six", 7: "seven week", 8: "eight", 9: "nine",
    10: "ten", 12: "month year twelve", 24: "hour day", 60: "minute second hour", 100: "percent", 180: "deg",
    360: "deg", -1: "last reverse previous end", 0.5: "half median middle", 1000: "milli kilo thousand",
}  # fmt: skip
_FREQUENCIES = {
    "D": "da", "H": "hour", "h": "hour", "W": "week", "M": "month", "ME": "month", "MS": "month", "Y": "year annual",
    "A": "year annual", "YE": "year annual", "Q": "quarter", "QE": "quarter", "T": "minute", "min": "minute",
    "S": "second", "s": "second", "B": "business", "C": "custom",
}  # fmt: skip
_EVERYWHERE = {0, 1, -1}
_IN_FORMULAS = {0, 1, -1, 2, 0.5}


def settled(code: str, words: str, above: str, *, formula: bool = False) -> bool:
    """Whether the words and the code above the cursor settle every constant of `code`.

    Args:
        code: The answer.
        words: The intent.
        above: What else can be read above the cursor.
        formula: Whether the code computes: then 1, 2 and a half need no word.
    """
    told, read = words.lower(), f"{words}\n{above}".lower()
    plain = {id(node) for node in _plain_positions(ast.parse(code))}
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.Constant) or node.value is None or isinstance(node.value, (bool, bytes)):
            continue
        if isinstance(node.value, str):
            if not _string_told(node.value, told, read):
                return False
        elif isinstance(node.value, (int, float)) and not _number_told(node.value, told, read):
            allowed = _IN_FORMULAS if formula else _EVERYWHERE if plain else set()
            if node.value not in allowed:
                return False
    return True


def _plain_positions(tree: ast.AST) -> list[ast.AST]:
    """Constants where 0, 1 and -1 are a manner of speaking: an axis, a level, a subscript."""
    found: list[ast.AST] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in {"axis", "level", "ddof", "n", "periods"}:
            found += ast.walk(node.value)
        elif isinstance(node, ast.Subscript):
            found += ast.walk(node.slice)
    return found


def _string_told(value: str, told: str, read: str) -> bool:
    if not value.strip() or (value in _FREQUENCIES and any(word in told for word in _FREQUENCIES[value].split())):
        return True
    parts = re.findall(r"[a-z]+|\d+", value.lower())
    return bool(parts) and all(re.search(rf"(?<![a-z]){re.escape(part)}", read) for part in parts)


def _number_told(value: float, told: str, read: str) -> bool:
    magnitude = abs(value)
    texts = {f"{magnitude:g}", str(magnitude), f"{100 * magnitude:g}%", f"{100 * magnitude:g} percent"}
    if any(re.search(rf"(?<![\w.]){re.escape(text)}(?![\w]|\.\d)", read) for text in texts):
        return True
    return any(word in told for word in _NUMBER_WORDS.get(value, "").split())
