"""Documentation to drafts: what becomes a task, what it asks, and what is left out for want of words."""

from collections import Counter

import pytest

from trainer.corpus.readers import Document
from trainer.suite.draft import Draft
from trainer.suite.examples import example_drafts
from trainer.suite.functions import function_drafts
from trainer.suite.inputs import combinations, kinds_of
from trainer.suite.settled import settled

GUIDE = """
Cities and prices::

    >>> import pandas as pd
    >>> df = pd.DataFrame({"city": ["Graz", "Oslo", "Graz"], "price": [1.0, 2.0, 3.0]})

Compute the mean price per city:

>>> df.groupby("city")["price"].mean()

Fill the missing prices:

>>> df["price"].fillna(17)
"""

MODULE = '''
import numpy as np
from elsewhere import helper


def spread(x, axis=0):
    """Return the difference of the largest and the smallest value of an array.

    Parameters
    ----------
    x : ndarray
        The values.

    Examples
    --------
    >>> spread(np.array([1, 5, 2]))
    4
    """
    # the peak to peak value
    return np.max(x, axis=axis) - np.min(x, axis=axis)


def hidden(x):
    """Return the array as the helper of another module makes it."""
    return helper(np.asarray(x))
'''


def drafts_of(text: str, form: str, drops: Counter[str] | None = None) -> list[Draft]:
    document = Document("demo/file", text, form)
    find = function_drafts if form == "python" else example_drafts
    return list(find(document, "demo 1.0", unseen=True, drops=Counter() if drops is None else drops))


def test_an_example_becomes_data_intent_and_cursor():
    drops: Counter[str] = Counter()
    (draft,) = drafts_of(GUIDE, "rst", drops)
    assert draft.prompt == (
        "import pandas as pd\n\n"
        'df = pd.DataFrame({"city": ["Graz", "Oslo", "Graz"], "price": [1.0, 2.0, 3.0]})\n\n'
        "# Compute the mean price per city\nresult = "
    )
    assert draft.solution == 'df.groupby("city")["price"].mean()'
    assert draft.probes == ("result",)
    assert set(draft.wrong) == {"None", "df"}
    assert drops["example: constants not told"] == 1  # nothing says 17


def test_a_function_becomes_signature_docstring_and_body():
    (draft,) = drafts_of(MODULE, "python")
    assert draft.prompt.startswith("import numpy as np\n\n\ndef spread(x, axis=0):\n    " + '"""Return the difference')
    assert draft.prompt.endswith('    """\n')
    assert draft.solution == "    return np.max(x, axis=axis) - np.min(x, axis=axis)"
    assert draft.probes == ("spread(np.array([1, 5, 2]))",)
    assert draft.wrong == ("    return None", "    return x")
    assert draft.searched[0][1][0] == "floats"


def test_the_key_follows_what_is_asked():
    (draft,) = drafts_of(MODULE, "python")
    (same,) = drafts_of(MODULE.replace("# the peak to peak value", "# other words"), "python")
    (other,) = drafts_of(MODULE.replace("the largest", "the greatest"), "python")
    assert draft.key == same.key != other.key


@pytest.mark.parametrize(
    ("code", "words", "above", "expected"),
    [
        ("df.fillna(0)", "Fill the missing values", "", False),
        ("df.fillna(0)", "Fill the missing values with zero", "", True),
        ("df.head(3)", "Show the first three rows", "", True),
        ("df.sum(axis=1)", "Sum each row", "", True),
        ("s.quantile(0.95)", "Compute the 95 percent quantile", "", True),
        ("df.groupby('city').size()", "Count the rows per city", "", True),
        ("df.groupby('city').size()", "Count the rows of each group", "df = read(['city'])", True),
        ("df.groupby('town').size()", "Count the rows of each group", "df = read(['city'])", False),
        ("df.resample('D').sum()", "Sum per day", "", True),
        ("df.resample('W').sum()", "Sum per day", "", False),
    ],
)
def test_constants_must_be_told(code: str, words: str, above: str, expected: bool):
    assert settled(code, words, above) is expected


def test_a_formula_may_hold_one_half_and_two():
    assert settled("0.5 * (a + b) ** 2", "Combine both", "", formula=True)
    assert not settled("0.7 * (a + b)", "Combine both", "", formula=True)


def test_arguments_are_of_the_kind_the_docstring_names():
    assert kinds_of("x", "pandas.series of prices")[0] == "series"
    assert kinds_of("n", "int, optional")[0] == "int"
    assert kinds_of("df", "")[0] == "frame"
    tried = combinations((("a", ("floats",)), ("b", ("floats",))))
    assert tried[0][0].count("np.array") == 2
    assert len(set(tried[0])) == 3
    first, second = tried[0][0].split("), ")
    assert first != second.rstrip(")")
