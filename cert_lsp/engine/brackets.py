"""Where brackets open and close, and where the expression before one begins; on text that need not parse."""

import re

from cert_lsp.engine.lexer import strings

OPEN, CLOSE = "([{", ")]}"
_LAMBDA = re.compile(r"\blambda\b[^:]*(?::|\Z)")


def closed_at(code: str, opened: int) -> int | None:
    """Return where the parenthesis at `opened` is closed; None if there is none or if it is not."""
    depth = 0
    for place in range(opened, len(code)):
        if code[place] in OPEN:
            depth += 1
        elif code[place] in CLOSE:
            depth -= 1
        if not depth:
            return place if place > opened else None
    return None


def receiver_start(text: str, code: str, end: int) -> int | None:
    """Return where the expression begins that ends at `end`: names, calls, subscripts, literals; None if none does."""
    at = end
    while True:
        while at and code[at - 1] in " \t\n" and text[at - 1] in " \t\n":
            at -= 1
        if not at:
            return None
        char = code[at - 1]
        if char in CLOSE:
            opened = opened_at(code, at - 1)
            if opened is None:
                return None
            at = opened
            if char in ")]" and at and (code[at - 1].isalnum() or code[at - 1] in "_)]"):
                continue  # a call or a subscript: what it is of comes before it
            if char == "]" and text[at - 1 : at] in ("'", '"'):
                continue
            return at
        if char.isalnum() or char == "_":
            while at and (code[at - 1].isalnum() or code[at - 1] in "_$"):
                at -= 1
            if text[at].isdigit():
                return None
        elif text[at - 1] in "'\"":
            opened = next((begin for begin, close in strings(text) if close == at), None)
            if opened is None:
                return None
            while opened and text[opened - 1] in "rRbBuUfF":
                opened -= 1
            return opened
        else:
            return None
        before = code[:at].rstrip(" \t\n")
        if not before.endswith(".") or before.endswith(".."):
            return at
        at = len(before) - 1


def opened_at(code: str, at: int) -> int | None:
    """Return the offset of the bracket that is open at `at`."""
    depth = 0
    for place in range(at - 1, -1, -1):
        if code[place] in CLOSE:
            depth += 1
        elif code[place] in OPEN:
            if not depth:
                return place
            depth -= 1
    return None


def arguments(text: str, code: str, opened: int, end: int) -> list[str]:
    """Return what stands between the commas of a call whose parenthesis is at `opened`, up to `end`."""
    bare = _LAMBDA.sub(lambda match: "_" * len(match[0]), code[:end])  # the commas of its parameters part nothing
    found: list[str] = []
    begin, depth = opened + 1, 0
    for place in range(opened + 1, end):
        char = bare[place]
        depth += (char in OPEN) - (char in CLOSE)
        if char == "," and not depth:
            found.append(text[begin:place].strip())
            begin = place + 1
    return [*found, text[begin:end].strip()]
