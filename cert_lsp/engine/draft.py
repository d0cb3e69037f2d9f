"""The sketch as the draft of a speculative decode: the code repeats it except at its placeholders.

`follow` guesses the tokens that come next from where the code stands in its sketch; the decoder reads a whole guess
in one pass and keeps what the model would have written anyway (Leviathan et al., ICML 2023, with the sketch as the
draft model). A wrong guess costs the time of reading it, never a token of the answer.
"""

import re
from collections.abc import Callable, Sequence

from cert_lsp.contract.sketch import Sketch

_MOST = 8
"""Tokens guessed at once: more would be lost on the first disagreement."""

_ANCHOR = 6
"""Characters by which code that left its sketch is found in it again."""

_STRING = r"""[rRbBuUfF]{0,2}(?:"{3}.*?"{3}|'{3}.*?'{3}|"(?!")(?:[^"\\\n]|\\.)*"|'(?!')(?:[^'\\\n]|\\.)*')"""
_FILLS = {
    "number": re.compile(r"\d[\d_]*"),
    "float": re.compile(r"\d*\.\d+|\d+\."),
    "floatexponant": re.compile(r"[\d.]+[eE][-+]?\d+"),
    "complex": re.compile(r"[\d.]+[jJ]"),
    "func": re.compile(r"[^\W\d]\w*"),
    "AnClass": re.compile(r"[^\W\d]\w*"),
}
_STRING_FILL = re.compile(_STRING, re.DOTALL)


def follow(sketch: Sketch, encode: Callable[[str], Sequence[int]]) -> Callable[[str], Sequence[int]]:
    """Make a guesser for code that goes by `sketch`.

    Args:
        sketch: What the code is expected to repeat.
        encode: Text to token ids.

    Returns:
        A function from the code so far to the tokens that probably follow, perhaps none.
    """
    parts = _parts(sketch)

    def guess(code: str) -> Sequence[int]:
        expected, more = _expected(parts, code)
        tokens = encode(expected)
        # The last token before a placeholder may be written in one with the placeholder's first characters.
        return tokens[: min(_MOST, len(tokens) - more)]

    return guess


def _parts(sketch: Sketch) -> list[tuple[str, str | None]]:
    """Cut a sketch into runs of literal text, each with the kind of the placeholder behind it, if any."""
    parts: list[tuple[str, str | None]] = []
    last = 0
    for place in sketch.placeholders:
        parts.append((sketch.text[last : place.start], place.kind))
        last = place.end
    return [*parts, (sketch.text[last:], None)]


def _expected(parts: Sequence[tuple[str, str | None]], code: str) -> tuple[str, bool]:
    """Return the literal text that should follow `code`, and whether a placeholder comes behind it."""
    at = 0
    for literal, kind in parts:
        if not code.startswith(literal, at):
            rest = code[at:]
            return (literal[len(rest) :], kind is not None) if literal.startswith(rest) else _found_again(parts, code)
        at += len(literal)
        if kind is None:
            break
        if not (fill := _FILLS.get(kind, _STRING_FILL).match(code, at)):
            break
        at = fill.end()
    return "", False


def _found_again(parts: Sequence[tuple[str, str | None]], code: str) -> tuple[str, bool]:
    """Look for the last characters of `code` in the sketch; the text behind them, if they stand there just once."""
    anchor = code[-_ANCHOR:]
    places = [(literal, kind) for literal, kind in parts if anchor in literal]
    if len(anchor) < _ANCHOR or len(places) != 1 or places[0][0].count(anchor) != 1:
        return "", False
    literal, kind = places[0]
    return literal.partition(anchor)[2], kind is not None
