"""Records whose heads begin alike, read behind one copy of that beginning.

A script of a frame and a question is mostly the frame. Where several records ask of the same one, its tokens are read
once, and each record goes on from there as if the others were not there: a branch sees the trunk and itself, and counts
its positions from the end of the trunk. The loss is that of the records by themselves; only the price differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

_TRUNK = 60
"""Characters that heads must have in common; what is shorter saves less than the mask costs."""


@dataclass(frozen=True)
class Example:
    """One or several encoded records.

    Attributes:
        ids: Token ids.
        parts: For each token UNLEARNED, SKETCH or CODE (see `trainer.data`).
        branches: For each token 0 in the trunk, else the number of its branch, from 1; empty where nothing is shared.
    """

    ids: list[int]
    parts: list[int]
    branches: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Groups:
    """Record numbers in groups; group `i` is ``members[starts[i]:starts[i + 1]]``, both int64."""

    members: NDArray[np.int64]
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        """Number of groups."""
        return len(self.starts) - 1

    def __getitem__(self, index: int) -> NDArray[np.int64]:
        """Record numbers of one group."""
        return self.members[self.starts[index] : self.starts[index + 1]]


def alone(count: int) -> Groups:
    """Every record in a group of its own."""
    return Groups(np.arange(count), np.arange(count + 1))


def group(heads: Sequence[str], most: int) -> Groups:
    """Put at most `most` records together where the shorter of two heads is at least half of it like the other."""
    members = sorted(range(len(heads)), key=heads.__getitem__)
    starts = [0]
    for place in range(1, len(members)):
        first, head = heads[members[starts[-1]]], heads[members[place]]
        shared = _alike(first, head)
        if place - starts[-1] == most or shared < max(_TRUNK, min(len(first), len(head)) / 2):
            starts.append(place)
    return Groups(np.array(members, np.int64), np.array([*starts, len(members)], np.int64))


def join(examples: Sequence[Example], window: int) -> Iterator[Example]:
    """Put examples behind one copy of what they have in common, as many in one as `window` tokens hold."""
    trunk = _shared(examples)
    if not trunk:
        yield from examples
        return
    gathered: list[Example] = []
    for example in examples:
        if gathered and trunk + sum(len(each.ids) - trunk for each in (*gathered, example)) > window:
            yield _tree(gathered, trunk)
            gathered = []
        gathered.append(example)
    yield _tree(gathered, trunk)


def positions(branches: Sequence[int]) -> NDArray[np.int64]:
    """Place of each token in its own record: the trunk's length is where every branch begins."""
    numbers = np.asarray(branches)
    places = np.arange(len(numbers))
    trunk = int((numbers == 0).sum())
    firsts = np.searchsorted(numbers, numbers)
    return np.where(numbers == 0, places, places - firsts + trunk)


def _shared(examples: Sequence[Example]) -> int:
    """Tokens that all have in common before any learns; 0 for one alone."""
    if len(examples) < 2:
        return 0
    unlearned = (next((place for place, part in enumerate(each.parts) if part), len(each.ids)) for each in examples)
    return min(min(unlearned), *(_alike(examples[0].ids, each.ids) for each in examples[1:]))


def _alike(one: Sequence[object], other: Sequence[object]) -> int:
    """How long two sequences are the same."""
    return next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def _tree(examples: Sequence[Example], trunk: int) -> Example:
    if len(examples) == 1:
        return examples[0]
    first = examples[0]
    tree = Example(first.ids[:trunk], first.parts[:trunk], [0] * trunk)
    for number, example in enumerate(examples, start=1):
        tree.ids.extend(example.ids[trunk:])
        tree.parts.extend(example.parts[trunk:])
        tree.branches.extend([number] * (len(example.ids) - trunk))
    return tree
