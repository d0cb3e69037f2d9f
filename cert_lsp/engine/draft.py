"""Guesses of what the model writes next: a speculative decode without a second model.

The decoder reads a whole guess in one pass and keeps what the model would have written anyway (Leviathan et al., ICML
2023). A wrong guess costs the time of reading it, never a token of the answer. Guesses come from

* the sketch, for the code that repeats it except at its placeholders (`follow`), and what may stand there (`fills`),
* the last answers, and the text itself (`recall`),
* the idioms of the library's code (`idioms`).

`chain` strings them together, token by token, as long as the whole is likely enough to be worth reading.
"""

import re
from collections.abc import Callable, Sequence
from itertools import takewhile

from cert_lsp.contract.sketch import Sketch
from cert_lsp.engine.fills import Fills

Step = Sequence[tuple[int, float]]
"""Tokens that may come next, one behind the other, each with the probability that it follows the one before."""

_MOST = 9
"""Tokens guessed at once: more would be lost on the first disagreement."""

_WORTH = 0.35
"""Least probability of a guess for which a pass reads two rows more; it reads an even number anyway (see `runtime`)."""

_FOLLOWS = 0.95
"""How surely code goes by its sketch, by experience."""

_QUOTES, _FILLED, _GOES_ON = 0.9, 0.72, 0.9
"""How surely a guessed string has the right quotes, a guessed placeholder the right beginning, and goes on rightly."""

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
        The guess: an odd number of tokens, for the one before them makes it even, unless nothing more comes to mind.
    """
    written = list(tokens)
    belief = 1.0
    while steps := [step for source in sources if (step := source(written))]:
        for token, sure in max(steps, key=lambda step: step[0][1]):
            belief *= sure
            guessed = len(written) - len(tokens)
            if guessed == _MOST or (guessed % 2 and belief < _WORTH):
                return written[len(tokens) :]
            written.append(token)
    return written[len(tokens) :]


def follow(sketch: Sketch, encode: Callable[[str], Sequence[int]], fills: Fills) -> Callable[[str], Step]:
    """Make a guesser for code that goes by `sketch`.

    Args:
        sketch: What the code is expected to repeat.
        encode: Text to token ids.
        fills: What may stand at its placeholders.

    Returns:
        A function from the code so far to the tokens that probably follow, perhaps none.
    """
    parts = _parts(sketch)

    def guess(code: str) -> Step:
        literal, kind, begun, behind = _expected(parts, code)
        known = encode(literal)
        if kind is None:
            return [(token, _FOLLOWS) for token in known]
        fill = fills.guess(kind, code.removesuffix(begun) + literal, begun)[len(begun) :]
        # A token may hold the end of what is known and the beginning of what fills the placeholder.
        tokens = encode(literal + fill + behind)[:-1] if fill else known[:-1]
        sure = [token for token, _ in takewhile(lambda pair: pair[0] == pair[1], zip(tokens, known, strict=False))]
        if sure or not fill:
            return [(token, _FOLLOWS) for token in sure]
        if kind == "string" and not begun:
            return [(token, _QUOTES) for token in tokens[:1]]  # which string comes is another question
        return [(token, _GOES_ON if place else _FILLED) for place, token in enumerate(tokens)]

    return guess


def _parts(sketch: Sketch) -> list[tuple[str, str | None]]:
    """Cut a sketch into runs of literal text, each with the kind of the placeholder behind it, if any."""
    parts: list[tuple[str, str | None]] = []
    last = 0
    for place in sketch.placeholders:
        parts.append((sketch.text[last : place.start], place.kind))
        last = place.end
    return [*parts, (sketch.text[last:], None)]


def _expected(parts: Sequence[tuple[str, str | None]], code: str) -> tuple[str, str | None, str, str]:
    """Say what should follow `code`: literal text, a placeholder, the text behind that.

    Returns:
        The text, the placeholder's kind (None at the end), what is written of it already, the literal text behind it.
    """
    at = 0
    for index, (literal, kind) in enumerate(parts):
        if not code.startswith(literal, at):
            rest = code[at:]
            if literal.startswith(rest):
                return literal[len(rest) :], kind, "", _behind(parts, index)
            return _found_again(parts, code)
        at += len(literal)
        if kind is None:
            break
        if not (fill := _FILLS.get(kind, _STRING_FILL).match(code, at)):
            return "", kind, code[at:], _behind(parts, index)
        at = fill.end()
    return "", None, "", ""


def _behind(parts: Sequence[tuple[str, str | None]], index: int) -> str:
    return parts[index + 1][0] if index + 1 < len(parts) else ""


def _found_again(parts: Sequence[tuple[str, str | None]], code: str) -> tuple[str, str | None, str, str]:
    """Look for the last characters of `code` in the sketch; the text behind them, if they stand there just once."""
    anchor = code[-_ANCHOR:]
    places = [index for index, (literal, _) in enumerate(parts) if anchor in literal]
    if len(anchor) < _ANCHOR or len(places) != 1 or parts[places[0]][0].count(anchor) != 1:
        return "", None, "", ""
    literal, kind = parts[places[0]]
    return literal.partition(anchor)[2], kind, "", _behind(parts, places[0])
