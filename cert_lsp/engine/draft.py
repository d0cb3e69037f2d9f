"""Guesses of what the model writes next: a speculative decode without a second model.

The decoder reads a whole guess in one pass and keeps what the model would have written anyway (Leviathan et al., ICML
2023). A wrong guess costs the time of reading it, never a token of the answer. Guesses come from

* the sketch, for the code that repeats it except at its placeholders (`follow`),
* the last answers, and the text itself (`recall`),
* the idioms of the library's code (`idioms`).

`chain` strings them together, token by token, as long as the whole is likely enough to be worth reading.
"""

import re
from collections.abc import Callable, Sequence

from cert_lsp.contract.sketch import Sketch

Step = Sequence[tuple[int, float]]
"""Tokens that may come next, one behind the other, each with the probability that it follows the one before."""

_MOST = 8
"""Tokens guessed at once: more would be lost on the first disagreement."""

_WORTH = 0.25
"""Least probability of a guess that is read: about what a further row of a pass costs of the pass that it may save."""

_FOLLOWS = 0.95
"""How surely code goes by its sketch, by experience."""

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


def chain(sources: Sequence[Callable[[Sequence[int]], Step]], tokens: Sequence[int]) -> list[int]:
    """Guess what follows an answer.

    Args:
        sources: Each tells what may follow an answer's tokens, perhaps nothing; the surest is believed.
        tokens: The answer so far.

    Returns:
        The guess; its first token, if there is any, however unlikely: a pass reads two rows at least (see `runtime`).
    """
    written = list(tokens)
    belief = 1.0
    while steps := [step for source in sources if (step := source(written))]:
        for token, sure in max(steps, key=lambda step: step[0][1]):
            belief *= sure
            guessed = len(written) - len(tokens)
            if guessed == _MOST or (guessed and belief < _WORTH):
                return written[len(tokens) :]
            written.append(token)
    return written[len(tokens) :]


def follow(sketch: Sketch, encode: Callable[[str], Sequence[int]]) -> Callable[[str], Step]:
    """Make a guesser for code that goes by `sketch`.

    Args:
        sketch: What the code is expected to repeat.
        encode: Text to token ids.

    Returns:
        A function from the code so far to the tokens that probably follow, perhaps none.
    """
    parts = _parts(sketch)

    def guess(code: str) -> Step:
        expected, more = _expected(parts, code)
        tokens = encode(expected)
        # The last token before a placeholder may be written in one with the placeholder's first characters.
        return [(token, _FOLLOWS) for token in tokens[: len(tokens) - more]]

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
