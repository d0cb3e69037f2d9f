"""What the team wrote below nearly the same intent: found by its words, or not at all, and fitted to what is begun."""

import pytest

from cert_lsp.contract.neighbours import Neighbour
from cert_lsp.engine.context import whole_context
from cert_lsp.engine.neighbours import Neighbours

TEAM = Neighbours(
    [
        Neighbour("Read the bookings of a branch", "bookings = read_table($string, branch)", body=False),
        Neighbour("total price per hotel", 'totals["price"] = tidy(bookings).groupby($string).sum()', body=False),
        Neighbour("Total price per hotel", "return tidy(table).agg($string)", body=True),
        Neighbour("plot the bookings", "show(bookings)\nplt.show()", body=False),
        Neighbour("of the", "never()", body=False),
    ]
)


def found(text: str, neighbours: Neighbours = TEAM) -> str | None:
    return neighbours.sketch_for(whole_context(f"import pandas as pd\n{text}"))


@pytest.mark.parametrize(
    ("intent", "sketch"),
    [
        ("plot the bookings", "show(bookings)\nplt.show()"),
        ("Plot all of the bookings.", "show(bookings)\nplt.show()"),
        ("read bookings of the branch", "bookings = read_table($string, branch)"),
        ("read bookings of the branch and drop what was cancelled before spring", None),
        ("plot it", None),
        ("mean delay per carrier", None),
        ("of the", None),
    ],
)
def test_nearly_the_same_words_are_a_neighbour(intent: str, sketch: str | None) -> None:
    assert found(f"# {intent}\n") == sketch


@pytest.mark.parametrize(
    ("begun", "sketch"),
    [
        ("", 'totals["price"] = tidy(bookings).groupby($string).sum()'),
        ("t", 'totals["price"] = tidy(bookings).groupby($string).sum()'),
        ("    ", '    totals["price"] = tidy(bookings).groupby($string).sum()'),
        ("sums = ", " tidy(bookings).groupby($string).sum()"),
        ("sums =", " tidy(bookings).groupby($string).sum()"),
        ("sums: pd.Series = ti", " tidy(bookings).groupby($string).sum()"),
        ('df["a"] = tidy(bookings).', "groupby($string).sum()"),
        ('df["a"] = tidy(bookings).gr', "groupby($string).sum()"),
        ("return ", " tidy(bookings).groupby($string).sum()"),
        ("sums = df.", None),
        ("sums += 1", None),
        ("x == ", None),
        ("print(", None),
    ],
)
def test_what_is_begun_is_not_written_again(begun: str, sketch: str | None) -> None:
    assert found(f"# total price per hotel\n{begun}") == sketch


def test_a_body_is_for_a_body() -> None:
    assert found('def f(table):\n    """Total price per hotel."""\n    ') == "    return tidy(table).agg($string)"
    assert found('def f(table):\n    """Plot the bookings."""\n    ') is None


def test_a_team_that_said_nothing_has_no_neighbours() -> None:
    assert found("# plot the bookings\n", Neighbours([])) is None
    assert found("# plot the bookings\n", Neighbours([Neighbour("of the", "x", body=False)])) is None
