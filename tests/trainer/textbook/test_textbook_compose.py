"""Compositions: the steps stand in one order in the answer, in the check and in the words."""

import random

from trainer.textbook.compose import compose
from trainer.textbook.operations import Operation


def _operation(name: str, code: str, other: str, order: str, *, then: bool) -> Operation:
    return Operation(
        name=name,
        theme="own",
        code=(code, other),
        same=(),
        holds="",
        traits=frozenset(),
        picks={},
        say={"order": (order,)},
        then=then,
        slots=frozenset({"df"}),
    )


_OPERATIONS = (
    _operation("distinct", "<df>.drop_duplicates()", "<df>[~<df>.duplicated()]", "drop duplicates", then=True),
    _operation("complete", "<df>.dropna()", "<df>[<df>.notna().all(axis=1)]", "drop gaps", then=True),
    _operation("count", "<df>.shape[0]", "len(<df>)", "count the rows", then=False),
)


def test_three_operations_follow_each_other_in_answer_check_and_words() -> None:
    rng = random.Random(0)
    composed = [operation for _ in range(300) if (operation := compose(_OPERATIONS, rng))]
    three = [operation for operation in composed if operation.name == "distinct_then_complete_then_count"]
    assert three
    for operation in three:
        assert operation.code == ("<df>.drop_duplicates().dropna().shape[0]",)
        assert operation.same == ("kept = <df>[~<df>.duplicated()]\nkept = kept[kept.notna().all(axis=1)]\nlen(kept)",)
        for words in operation.say["order"]:
            assert words.index("drop duplicates") < words.index("drop gaps") < words.index("count the rows")
            assert words.count("first") < 2


def test_no_operation_follows_itself() -> None:
    rng = random.Random(1)
    composed = [operation for _ in range(300) if (operation := compose(_OPERATIONS, rng))]
    assert composed
    assert all(len(set(steps := operation.name.split("_then_"))) == len(steps) for operation in composed)
