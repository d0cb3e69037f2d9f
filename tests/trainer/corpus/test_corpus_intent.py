"""Prose to intent."""

import ast

import pytest

from trainer.corpus.intent import intent_of, says_what


@pytest.mark.parametrize(
    ("prose", "intent"),
    [
        ("For example, we can also sort the rows by ``a`` as follows:", "Sort the rows by a"),
        ("Use :meth:`~DataFrame.dropna` to drop missing rows.", "Use DataFrame.dropna to drop missing rows"),
        ("Returns the mean of every column.", "Return the mean of every column"),
        ("## Count values per `city`", "Count values per city"),
        ("---------\nSelect rows by label\n---------", "Select rows by label"),
        (
            "Some background about frames that nobody asked for here at all. Drop the first column:",
            "Drop the first column",
        ),
    ],
)
def test_marks_and_leading_words_are_taken_off(prose, intent):
    assert intent_of(prose) == (intent, "")


@pytest.mark.parametrize(
    ("prose", "reason"),
    [
        ("", "intent: empty"),
        ("Examples", "intent: too short"),
        ("word " * 40, "intent: too long"),
        ("TODO: sort the rows by a", "intent: about something else"),
        ("Works like the function above for columns", "intent: about something else"),
        ("It sorts rows by column", "intent: tells no task"),
        ("df = df.sort_values(by='a column')", "intent: commented-out code"),
        ("排序 数据框 的 列 aa bb cc", "intent: not plain language"),
    ],
)
def test_what_is_no_intent_is_told_why(prose, reason):
    assert intent_of(prose) == ("", reason)


def test_long_rulers_take_no_time():
    assert intent_of("=" * 5000 + "\n" + "-" * 5000)[1] == "intent: empty"


@pytest.mark.parametrize(
    ("intent", "strict", "expected"),
    [
        ("Sort the rows by price", True, True),
        ("Average price per city", True, True),
        ("Interesting side effect of old decisions", False, False),
        ("Arrange everything", True, False),
        ("Arrange everything", False, True),
    ],
)
def test_intent_and_code_share_words(intent, strict, expected):
    code = ast.parse("df.groupby('city')['price'].mean().sort_values()")
    assert says_what(intent, code, strict=strict) is expected
