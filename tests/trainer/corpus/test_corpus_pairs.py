"""From documents to pairs: which prose is tied to which code, with which lines above it."""

import json
from collections import Counter

import pytest

from trainer.corpus.extract import scripts
from trainer.corpus.layout import lay_outs
from trainer.corpus.pairs import Pair, pairs
from trainer.corpus.readers import Document

DOCSTRING = '''
def nlargest(frame, n):
    """
    Return the rows with the largest values.

    Parameters
    ----------
    n : int

    Examples
    --------
    >>> df = pd.DataFrame({"a": [3, 1, 2]})
    >>> df
       a
    0  3
    >>> nlargest(df, 2)
       a
    0  3

    For example, we can sort the rows by ``a`` in descending order:

    >>> df.sort_values("a", ascending=False)
       a
    0  3

    See GH#123 for more.

    >>> df.sort_values("a")
       a
    1  1
    """
'''


def found(
    text: str, format: str = "python", path: str = "doc/example.py", *, own: bool = False
) -> tuple[list[Pair], Counter[str]]:
    drops: Counter[str] = Counter()
    document = Document(path, text, format, own)
    return [pair for script in scripts(document, drops) for pair in pairs(script, drops)], drops


def told(text: str, format: str = "python") -> dict[str, tuple[str, str]]:
    """Map each intent to (context, code)."""
    return {
        pair.intent: ("\n".join(s.code for s in pair.context), "\n".join(s.code for s in pair.code))
        for pair in found(text, format)[0]
        if pair.intent
    }


def test_prose_before_an_example_is_the_intent_and_earlier_lines_its_context():
    assert told(DOCSTRING)["Sort the rows by a in descending order"] == (
        'df = pd.DataFrame({"a": [3, 1, 2]})',
        'df.sort_values("a", ascending=False)',
    )


def test_prose_about_something_else_is_dropped_and_counted():
    kept, drops = found(DOCSTRING)
    assert not any("GH" in pair.intent for pair in kept)
    assert drops["intent: about something else"] == 1


def test_a_docstrings_first_sentence_goes_with_the_example_that_calls_its_owner():
    text = (
        'def melt(df):\n    """Unpivot tables.\n\n    >>> df = pd.DataFrame({"a": [1]})\n    >>> df.melt()\n    """\n'
    )
    assert told(text)["Unpivot tables"] == ('df = pd.DataFrame({"a": [1]})', "df.melt()")


def test_a_comment_goes_with_the_lines_below_it_up_to_the_gap():
    text = """import pandas as pd
df = pd.read_csv("x.csv")

# mean price per city
means = df.groupby("city")["price"].mean()  # Series
means = means.sort_index()

other = df.sum()
"""
    context, code = told(text)["Mean price per city"]
    assert code == 'means = df.groupby("city")["price"].mean()\nmeans = means.sort_index()'
    assert context == 'df = pd.read_csv("x.csv")'


def test_context_holds_only_what_the_code_builds_on():
    text = """import os
import pandas as pd
unrelated = os.getcwd()
df = pd.DataFrame({"a": [1]})
df["b"] = df["a"] * 2

# sum of column b
total = df["b"].sum()
"""
    context, _ = told(text)["Sum of column b"]
    assert context == 'df = pd.DataFrame({"a": [1]})\ndf["b"] = df["a"] * 2'


def test_statements_that_share_a_line_are_told_apart():
    text = "import numpy as np\na = np.arange(4); a\n\n# sum of the array a\nnp.sum(a)  # 6\n"
    assert told(text)["Sum of the array a"] == ("a = np.arange(4)", "np.sum(a)")


def test_code_with_unbound_names_is_dropped():
    kept, drops = found("import pandas as pd\n\n# sum of column b\ntotal = missing['b'].sum()\n")
    assert not kept
    assert drops["context: unbound names"] == 1


def test_a_name_that_is_bound_by_itself_alone_is_unbound():
    kept, drops = found("import pandas as pd\ndf = df.dropna()\n\n# sum of column b\ntotal = df['b'].sum()\n")
    assert not [pair for pair in kept if pair.intent]
    assert drops["context: unbound names"] == 1


def test_documented_function():
    text = '''import pandas as pd

def clean(df):
    """Drop rows with missing values."""
    df = df.dropna()
    return df.reset_index(drop=True)
'''
    (pair,) = found(text, path="lib.py")[0]
    assert (pair.kind, pair.signature, pair.intent) == ("docstring", "def clean(df):", "Drop rows with missing values")


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("self.df = self.df.dropna()", "code: self or private names"),
        ("assert df.dropna().empty", "code: assert or raise"),
        ("total = 1 + 2", "code: no pandas or NumPy"),
        ("warnings.warn(df.dropna())", "code: talks to the world"),
    ],
)
def test_code_that_no_user_writes_is_dropped(statement, reason):
    kept, drops = found(f"import pandas as pd\ndf = pd.DataFrame()\n\n# drop rows with missing values\n{statement}\n")
    assert not [pair for pair in kept if pair.intent]
    assert drops[reason] == 1


def test_code_of_other_libraries_is_dropped():
    kept, drops = found(
        "import pandas as pd\nimport dask.dataframe as dd\ndf = dd.read_csv('x')\n\n"
        "# mean per group\ndf.groupby('a').mean()\n"
    )
    assert not [pair for pair in kept if pair.intent]
    assert drops["code: uses other libraries"] >= 1


def test_comments_in_tests_are_not_read_but_docstrings_are():
    text = DOCSTRING + "\nimport pandas as pd\ndf = pd.DataFrame()\n# drop missing rows\ndf = df.dropna()\n"
    kept, drops = found(text, path="pkg/tests/test_frame.py")
    assert {pair.kind for pair in kept} <= {"doctest", "block"}
    assert drops["file: test code"] == 1


def test_guide_page_keeps_its_state_across_blocks():
    page = """
Sorting
=======

.. ipython:: python

   df = pd.DataFrame({"a": [2, 1]})

.. note:: Nothing here.

Sort by the column ``a``:

.. ipython:: python
   :okwarning:

   df.sort_values("a")
"""
    assert told(page, "rst")["Sort by the column a"] == ('df = pd.DataFrame({"a": [2, 1]})', 'df.sort_values("a")')


def test_markdown_fence():
    page = (
        "Count the missing values:\n\n```python\nimport pandas as pd\ndf = pd.read_csv('x.csv')\ndf.isna().sum()\n```\n"
    )
    assert told(page, "markdown")["Count the missing values"][1] == "df.isna().sum()"


def test_notebook_cells():
    cells = [
        {"cell_type": "code", "source": ["%matplotlib inline\n", "import numpy as np\n", "a = np.arange(6)"]},
        {"cell_type": "markdown", "source": ["## Reshape the array into two rows"]},
        {"cell_type": "code", "source": ["a.reshape(2, 3)"]},
    ]
    assert told(json.dumps({"cells": cells}), "notebook") == {
        "Reshape the array into two rows": ("a = np.arange(6)", "a.reshape(2, 3)")
    }


@pytest.mark.parametrize(
    ("text", "format", "reason"),
    [
        ("pandas, but not JSON", "notebook", "file: not a notebook"),
        ('{"cells": 3, "by": "pandas"}', "notebook", "file: not a notebook"),
        ('{"cells": [{"cell_type": "code", "source": [1]}], "by": "pandas"}', "notebook", "file: not a notebook"),
        ("import pandas\ndef broken(:\n", "python", "file: does not parse"),
        ("x = 1\n", "python", "file: no pandas or NumPy"),
        ("# \ud800 pandas\nx = 1\n", "python", "file: does not parse"),
    ],
)
def test_bad_files_are_counted_never_fatal(text, format, reason):
    kept, drops = found(text, format)
    assert not kept
    assert drops[reason] == 1


OWN = '''
from ours import Shop, settle

class Report:
    def total(self, day):
        """Sum what was paid on a day."""
        return settle(self.rows, day)

def _check(shop):
    for day in shop.days:
        # settle the day before it is shown
        settle(shop.rows, day)

def test_total():
    # a shop with two days
    shop = Shop(days=2)
    assert shop.total == helper(shop)
'''


def test_of_ones_own_code_methods_private_functions_tests_and_any_library_are_read():
    pairs_found, drops = found(OWN, path="tests/test_ours.py", own=True)
    told = {pair.intent: pair for pair in pairs_found if pair.intent}
    assert list(told) == ["Sum what was paid on a day", "Settle the day before it is shown", "A shop with two days"]
    assert told["Sum what was paid on a day"].owner == "Report"
    assert not told["A shop with two days"].owner
    assert "code: no pandas or NumPy" not in drops
    assert found(OWN, path="tests/test_ours.py")[0] == []
    [(head, code), *_] = lay_outs(told["Sum what was paid on a day"])
    lines = (head + code).split("\n")
    assert lines[-4:] == [
        "class Report:",
        "    def total(self, day):",
        '        """Sum what was paid on a day."""',
        "        return settle(self.rows, day)",
    ]


def test_of_ones_own_notes_to_oneself_are_no_intents():
    text = "import ours\n\n# TODO: remove the cache\nours.drop(1)\n\n# noqa: remove the rows\nours.drop(2)\n"
    pairs_found, drops = found(text, own=True)
    assert not [pair for pair in pairs_found if pair.intent]
    assert drops["intent: about something else"] == 2


def test_a_cell_of_ones_own_that_begins_with_imports_belongs_to_the_prose_above():
    cells = [
        {"cell_type": "markdown", "source": "Draw the daily totals"},
        {"cell_type": "code", "source": "import ours\n\nours.draw(daily)"},
    ]
    for own, expected in ((True, ["Draw the daily totals"]), (False, [])):
        pairs_found, _ = found(json.dumps({"cells": cells}), "notebook", own=own)
        assert [pair.intent for pair in pairs_found if pair.intent] == expected
