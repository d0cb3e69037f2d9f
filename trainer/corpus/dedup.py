"""Near-duplicates: a record most of whose lines were seen before teaches nothing new."""

from __future__ import annotations

import hashlib
from collections import Counter

SEEN_SHARE = 0.65
SAME_CODE = 3
"""How often the same code may come with different words for it."""


class Seen:
    """The lines of the records kept so far, as 8-byte hashes."""

    def __init__(self) -> None:
        self._lines: set[bytes] = set()
        self._records: set[bytes] = set()
        self._codes: Counter[bytes] = Counter()

    def reason(self, text: str) -> str:
        """Say why `text` (first line: intent, then code) is a repetition, or take it in and return the empty string."""
        lines = [_hash(" ".join(line.split()).lower()) for line in text.split("\n") if any(map(str.isalnum, line))]
        whole, code = _hash(text), _hash(text.partition("\n")[2])
        if whole in self._records:
            return "duplicate"
        if sum(line in self._lines for line in lines) > SEEN_SHARE * len(lines):
            return "near-duplicate"
        if self._codes[code] >= SAME_CODE:
            return "same code too often"
        self._records.add(whole)
        self._codes[code] += 1
        self._lines.update(lines)
        return ""


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
