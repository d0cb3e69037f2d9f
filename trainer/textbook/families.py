"""Which operations can be asked of the same data, so that their samples share the beginning of their heads.

Half of the families are neighbours in their file, where near twins stand side by side (more than, at least, between):
what tells their answers apart is the phrasing alone. The others are drawn from all that fit.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from trainer.textbook.operations import Operation
from trainer.textbook.scene import COLUMNS, INPUTS

SHARE = 0.7
"""Share of the draws that are families, where they are asked for."""

_SIZES = (3, 4, 5, 6)
_NEIGHBOURS = 0.5
_MOST_COLUMNS = 5


class Families:
    """Operations by what their data must be like."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        """Sort `operations` by inputs and traits, in the order of their files."""
        self._alike: dict[tuple[frozenset[str], frozenset[str]], list[Operation]] = {}
        for operation in operations:
            self._alike.setdefault(_key(operation), []).append(operation)

    def draw(self, first: Operation, rng: random.Random) -> list[Operation]:
        """`first` and others that can be asked of the same data; `first` alone if there are none."""
        alike = self._alike.get(_key(first), [])
        others = [operation for operation in alike if operation is not first]
        size = min(rng.choice(_SIZES) - 1, len(others))
        if rng.random() < _NEIGHBOURS and first in alike:
            place = alike.index(first)
            others = [alike[(place + step) % len(alike)] for step in range(1, size + 1)]
        else:
            others = rng.sample(others, k=size)
        family = [first]
        for operation in others:
            if len(_columns([*family, operation])) <= _MOST_COLUMNS:
                family.append(operation)
        return family


def _key(operation: Operation) -> tuple[frozenset[str], frozenset[str]]:
    return frozenset(operation.slots & INPUTS), operation.traits


def _columns(operations: Sequence[Operation]) -> set[str]:
    slots = {slot for operation in operations for slot in operation.slots}
    return {slot for slot in slots if slot.rstrip("0123456789") in COLUMNS}
