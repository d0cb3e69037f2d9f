"""What may stand at a sketch's placeholders: columns and names that the buffer quotes, numbers that the intent states.

Guesses for the decoder (see `draft`): a wrong one costs a few microseconds of reading, never a token of the answer.
"""

import re

from cert_lsp.engine.lexer import strings

_NUMBER = re.compile(r"(?<![\w.])\d+(?![\w.])")
_WORD = re.compile(r"\w+")
_KEY = re.compile(r"\b(?:by|each|every|per)\W+(?:the\W+)?(\w+)", re.IGNORECASE)
_GROUPS = re.compile(r"(?:groupby|by|on|index)(?:=|\()\[?\Z")
_LONGEST = 40


class Fills:
    """What a prompt offers for placeholders; made once for a request."""

    def __init__(self, head: str, intent: str) -> None:
        """Look for literals in `head`, the text that the model reads, and for what `intent` names."""
        literals = [head[start:end] for start, end in strings(head)]
        plain = [each for each in literals if "\n" not in each and 2 < len(each) <= _LONGEST]
        self._quote = plain[-1][0] if plain else "'"
        words = [word.lower() for word in _WORD.findall(intent)]
        said = {word: place for place, word in reversed(list(enumerate(words)))}
        self._keys = {word.lower() for word in _KEY.findall(intent)}
        quoted = list(dict.fromkeys(each[1:-1] for each in reversed(plain)))
        self._named = sorted((each for each in quoted if each.lower() in said), key=lambda each: said[each.lower()])
        self._others = [each for each in quoted if each.lower() not in said]
        self._numbers = list(dict.fromkeys(_NUMBER.findall(intent)))

    def guess(self, kind: str, before: str, begun: str) -> str:
        """Guess a placeholder's text.

        Args:
            kind: The placeholder's kind.
            before: The code before it.
            begun: What is written of it already.

        Returns:
            All of its text, quotes included; it begins with `begun`. Empty if nothing is likely.
        """
        match kind:
            case "string":
                quote = begun[:1] or self._quote
                texts = [f"{quote}{each}{quote}" for each in self._strings(before)]
            case "number":
                texts = [each for each in self._numbers if each not in _NUMBER.findall(before)] or self._numbers
            case _:
                texts = []
        return next((each for each in texts if each.startswith(begun)), "")

    def _strings(self, before: str) -> list[str]:
        """Order the candidates: those that the intent names, in its order, before others; those written before last."""
        groups = _GROUPS.search(before) is not None
        named = sorted(self._named, key=lambda each: (each.lower() in self._keys) != groups)
        ordered = named + self._others
        return sorted(ordered, key=lambda each: f"'{each}'" in before or f'"{each}"' in before)
