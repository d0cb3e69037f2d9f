"""Near-duplicates: a record most of whose lines were seen before teaches nothing new.

Whether a record is kept hangs on those kept before it, so one process decides. It needs little for that: a line that
occurs in one record alone can repeat nothing, so that only what occurs in several is remembered, a byte for each. What
does is found beforehand by sorting hashes, range by range, each range for itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SEEN_SHARE = 0.65
SAME_CODE = 3
"""How often the same code may come with different words for it."""


@dataclass(frozen=True)
class Print:
    """What near-dedup knows of a pair, each text as a 64-bit hash.

    Attributes:
        whole: The intent and the code.
        code: The code alone.
        lines: The lines that hold a letter or a digit, blanks and capitals ignored.
    """

    whole: int
    code: int
    lines: tuple[int, ...]


def fingerprint(text: str) -> Print:
    """Hash a pair's text, whose first line is the intent and the rest the code."""
    lines = (" ".join(line.split()).lower() for line in text.split("\n") if any(map(str.isalnum, line)))
    return Print(_hash(text), _hash(text.partition("\n")[2]), tuple(map(_hash, lines)))


class Kept:
    """What the pairs kept so far hold; texts are numbers here, and None is one that no other pair holds."""

    def __init__(self, numbers: int = 0) -> None:
        """Make room for `numbers` different texts."""
        self._wholes, self._codes, self._lines = bytearray(numbers), bytearray(numbers), bytearray(numbers)

    def make_room(self) -> int:
        """Make room for one more text; returns its number."""
        for table in (self._wholes, self._codes, self._lines):
            table.append(0)
        return len(self._lines) - 1

    def reason(self, whole: int | None, code: int | None, lines: Sequence[int], count: int) -> str:
        """Say why a pair is a repetition, or take it in and return the empty string.

        Args:
            whole: Its text's number.
            code: Its code's number.
            lines: The numbers of its lines, those that no other pair holds left out.
            count: How many lines it has with them.
        """
        if whole is not None and self._wholes[whole]:
            return "duplicate"
        if sum(self._lines[line] for line in lines) > SEEN_SHARE * count:
            return "near-duplicate"
        if code is not None:
            if self._codes[code] >= SAME_CODE:
                return "same code too often"
            self._codes[code] += 1
        if whole is not None:
            self._wholes[whole] = 1
        for line in lines:
            self._lines[line] = 1
        return ""


class Seen:
    """The same for texts that come one by one and are not known beforehand."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._kept = Kept()

    def reason(self, text: str) -> str:
        """Say why `text` (first line: intent, then code) is a repetition, or take it in and return the empty string."""
        told = fingerprint(text)
        lines = [self._number(line) for line in told.lines]
        return self._kept.reason(self._number(told.whole), self._number(told.code), lines, len(lines))

    def _number(self, text: int) -> int:
        if text not in self._numbers:
            self._numbers[text] = self._kept.make_room()
        return self._numbers[text]


def repeated(hashes: Iterable[NDArray[np.uint64]], number: int, ranges: int) -> NDArray[np.uint64]:
    """Of sorted arrays of hashes, those that occur more than once in all, in one of `ranges` equal ranges; sorted."""
    import numpy as np

    first, last = (np.uint64((number + end) * 2**64 // ranges - end) for end in (0, 1))
    parts = [each[np.searchsorted(each, first) : np.searchsorted(each, last, "right")] for each in hashes]
    found = np.sort(np.concatenate(parts))
    return np.unique(found[1:][found[1:] == found[:-1]])


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "little")
