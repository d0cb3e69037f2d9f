"""Two or three operations in a row as one: first such as turn a frame into a frame, then any on a frame."""

from __future__ import annotations

import random
from collections.abc import Sequence

from trainer.textbook.operations import Operation

_JOIN = ("{a}, then {b}", "{a} and then {b}", "{a} and {b}", "first {a}, then {b}", "{a}; afterwards {b}")
_JOIN_NOUN = ("{a}, then get {b}", "{b}, but first {a}", "{a} and find {b}", "{a} and compute {b}")
_THEME = "composed"
_CLASHING = frozenset({"alike", "multi", "strnum", "strdate", "lists", "labels", "numeric"})
_THREE = 0.25
"""Share of the compositions that have a third operation in between."""


def compose(operations: Sequence[Operation], rng: random.Random) -> Operation | None:
    """A new operation out of two or three of `operations`, or None if those that were drawn do not fit."""
    leading = [operation for operation in operations if operation.then]
    following = [operation for operation in operations if "df" in operation.slots]
    if not leading or not following:
        return None
    joined: Operation | None = rng.choice(leading)
    if rng.random() < _THREE:
        joined = _join(joined, rng.choice(leading), rng)
    return joined and _join(joined, rng.choice(following), rng)


def _join(first: Operation, second: Operation, rng: random.Random) -> Operation | None:
    if not _fits(first, second):
        return None
    joins = _JOIN if "order" in second.say else _JOIN_NOUN
    if first.theme == _THEME:
        joins = tuple(join for join in joins if "first" not in join)
    after = second.say.get("order") or second.say.get("noun")
    say = tuple(rng.choice(joins).format(a=rng.choice(first.say["order"]), b=rng.choice(after)) for _ in range(3))
    return Operation(
        name=f"{first.name}_then_{second.name}",
        theme=_THEME,
        code=(_chain(first.code[0], second.code[0]),),
        same=(_steps((first.code[1:] or first.same)[0], second.code[-1]),),
        holds="",
        traits=first.traits | second.traits,
        picks=first.picks | second.picks,
        say={"order": say},
        then=second.then,
        book=first.book,
        slots=first.slots | second.slots,
    )


def _fits(first: Operation, second: Operation) -> bool:
    return (
        second.name not in first.name
        and bool(first.code[1:] or first.same)
        and not (first.traits | second.traits) & _CLASHING
        and not first.picks.keys() & second.picks.keys()
        and "order" in first.say
        and bool(second.say.get("order") or second.say.get("noun"))
        and "\n" not in second.code[0] + first.code[0]
        and "=" not in second.code[0].split("(")[0]
        and "<df2>" not in second.code[0]
    )


def _chain(first: str, second: str) -> str:
    if second.count("<df>") == 1 and second.startswith("<df>") and len(first) + len(second) < 90:
        return second.replace("<df>", first)
    return _steps(first, second)


def _steps(first: str, second: str) -> str:
    *before, last = first.split("\n")
    return "\n".join([*before, f"kept = {last}", second.replace("<df>", "kept")])
