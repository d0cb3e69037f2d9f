"""Library code is mostly idiom: which token mostly follows the last few, as a guess for the decoder.

Behind `.groupby(` a sketch nearly always goes on with a string. A bundle may hold a table of such n-grams, counted in
the text that its model was trained on (`export.idioms`). It is a draft model that costs a look into a sorted array
("n-gram speculation"); like every draft it never changes an answer (see `draft`).

The file is an NPZ archive of three arrays of one length: ``keys`` (uint64, ascending), ``tokens`` (uint32) and ``sure``
(uint8, the share of the contexts in which the token followed, in 255ths).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from cert_lsp.contract.bundle import damaged

ORDERS: Final = range(1, 6)
"""Lengths of the contexts, in tokens."""

_OFFSET, _PRIME, _MASK = 0xCBF29CE484222325, 0x100000001B3, 0xFFFFFFFFFFFFFFFF  # FNV-1a, over tokens in place of bytes


def key(opening: int, context: Sequence[int]) -> int:
    """Return the 64-bit hash of a context: the marker that opens the answer, and the tokens before the next one."""
    value = (_OFFSET ^ opening) * _PRIME & _MASK
    for token in context:
        value = (value ^ token) * _PRIME & _MASK
    return value


class Idioms:
    """A table of n-grams; immutable."""

    def __init__(self, keys: NDArray[np.uint64], tokens: NDArray[np.uint32], sure: NDArray[np.uint8]) -> None:
        """Take the three arrays of the file, each of shape (entries,)."""
        self._keys, self._tokens, self._sure = keys, tokens, sure

    @classmethod
    def of(cls, entries: Mapping[int, tuple[int, float]]) -> Self:
        """Build a table: `key` of a context -> the token that mostly follows, and its share in [0, 1]."""
        keys = sorted(entries)
        tokens = [entries[each][0] for each in keys]
        sure = [round(255 * entries[each][1]) for each in keys]
        return cls(np.array(keys, np.uint64), np.array(tokens, np.uint32), np.array(sure, np.uint8))

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read the file.

        Raises:
            BundleError: If it cannot be read.
        """
        try:
            with np.load(file, allow_pickle=False) as arrays:
                return cls(arrays["keys"], arrays["tokens"], arrays["sure"])
        except (OSError, ValueError, KeyError) as error:
            raise damaged(file, str(error)) from error

    def save(self, file: Path) -> None:
        """Write the file."""
        np.savez_compressed(file, keys=self._keys, tokens=self._tokens, sure=self._sure)

    def __len__(self) -> int:
        return len(self._keys)

    def after(self, opening: int, tokens: Sequence[int]) -> tuple[int, float] | None:
        """Return what mostly follows `tokens`, by the longest context that is known, and how surely, in [0, 1]."""
        for order in reversed(ORDERS):
            if order > len(tokens):
                continue
            wanted = np.uint64(key(opening, tokens[-order:]))
            place = int(np.searchsorted(self._keys, wanted))
            if place < len(self._keys) and self._keys[place] == wanted:
                return int(self._tokens[place]), float(self._sure[place]) / 255
        return None
