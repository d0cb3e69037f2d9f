"""A completion as a snippet: where its sketch has a placeholder, the snippet has a tab stop with the code's detail."""

import re

from cert_lsp.contract.sketch import align, rebuild, sketch
from cert_lsp.errors import SketchError

_SPECIAL = re.compile(r"[\\$}]")


def snippet_of(begun: str, code: str) -> str:
    """Write a completion in the snippet syntax of LSP; without tab stops where the details cannot be told.

    Args:
        begun: The half-written statement that the code goes on with.
        code: The completion.
    """
    try:
        made = sketch(code, before=begun)
        fills = align(made, code, before=begun)
    except SketchError:
        return _escaped(code)
    if rebuild(made, fills) != code:  # a comment in the code is not in the sketch
        return _escaped(code)
    parts, last = list[str](), 0
    for number, fill in enumerate(fills, start=1):
        place = fill.placeholder
        parts += [_escaped(made.text[last : place.start]), f"${{{number}:{_escaped(fill.text)}}}"]
        last = place.end
    return "".join([*parts, _escaped(made.text[last:]), "$0"])


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", text)
