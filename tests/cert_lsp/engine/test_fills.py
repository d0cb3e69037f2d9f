"""What may stand at a placeholder."""

import pytest

from cert_lsp.engine.fills import Fills

HEAD = """flights = pd.read_csv("flights.csv")
flights = flights.dropna(subset=["carrier", "delay"])
"""


@pytest.mark.parametrize(
    ("intent", "before", "begun", "expected"),
    [
        ("average delay per carrier", "flights.groupby(", "", '"carrier"'),
        ("average delay per carrier", 'flights.groupby("carrier")[', "", '"delay"'),
        ("average delay per carrier", "flights[", "'", "'delay'"),
        ("average delay per carrier", "flights[", "'c", "'carrier'"),
        ("average delay per carrier", "flights[", "'x", ""),
        ("the first rows", "flights[", "", '"delay"'),
    ],
)
def test_a_string_is_one_that_the_buffer_quotes_and_the_intent_names(
    intent: str, before: str, begun: str, expected: str
) -> None:
    assert Fills(HEAD, intent).guess("string", before, begun) == expected


def test_a_number_is_one_that_the_intent_states_and_the_code_does_not_have_yet() -> None:
    fills = Fills("", "clip the values between 2 and 40")
    assert fills.guess("number", "x.clip(", "") == "2"
    assert fills.guess("number", "x.clip(2, ", "") == "40"
    assert fills.guess("number", "x.clip(", "4") == "40"
    assert Fills("", "clip").guess("number", "x.clip(", "") == ""


def test_nothing_is_guessed_for_what_nobody_quotes() -> None:
    assert Fills("", "average delay").guess("string", "df[", "") == ""
    assert Fills(HEAD, "average delay").guess("func", "def ", "") == ""
