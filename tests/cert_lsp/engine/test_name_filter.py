"""Which names may be written; that whatever is bound somehow may."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cert_lsp.engine.api_filter import ApiFilter
from cert_lsp.engine.context import build_context
from cert_lsp.engine.name_filter import NameFilter
from tests.cert_lsp.engine import pieces

BUFFER = (
    "import numpy as np\nimport pandas as pd\n"
    "readings = pd.DataFrame({'sensor': ['a'], 'celsius': [1.5]})\n"
    "def mean_of(df, column, limit=3):\n"
)


def judge(buffer: str = BUFFER, ask: str = "# the intent\n", typed: str = "") -> NameFilter:
    context = build_context(buffer + ask + typed, len(buffer + ask + typed))
    assert context is not None
    return NameFilter.of(context, ApiFilter.of(context).keywords_at)


def refused(code: str, names: NameFilter | None = None, width: int = 1) -> str | None:
    """Return what is written when the filter refuses to go on, if it does."""
    return pieces.refused(names or judge(), code, width)


BOUND = [
    "readings['celsius'].mean()",
    "limit + len(column)",
    "hot = readings[readings.celsius > 3]\nhot.head()",
    "a, b = np.split(readings, 2)\na + b",
    "readings.assign(late=1).agg(total=('celsius', 'sum'))",
    "readings.sort_values(by='celsius', ascending=False)",
    "[word.upper() for word in df]",
    "{key: value.sum() for key, value in readings.groupby('sensor')}",
    "[[cell for cell in row] for row in df]",
    "', '.join(str(part) for part in column)",
    "sum(len(word) for word in column)",
    "df.apply(lambda row, n=2: row['a'] * n, axis=1)",
    "for name, group in readings.groupby('sensor'):\n    print(name, group)",
    "with open(column) as file:\n    file.read()",
    "import scipy\nscipy.linalg",
    "def inner(values, weight=1):\n    return values * weight\nmean = inner(df)",
    "f'{limit}' + rb'x'.decode()",
    "mean_of(df, column='x', limit=1.)\nlimit",
    "$string",
    "np.ravel(df)\n[limit + word for word in column]",
    "readings.\\\n    mean()",
    "(n := 3) + n",
    "try:\n    pass\nexcept ValueError as error:\n    raise error",
]


@pytest.mark.parametrize("code", BOUND)
@pytest.mark.parametrize("width", [1, 3, 8])
def test_what_is_bound_may_be_written_in_whatever_pieces(code, width):
    assert refused(code, width=width) is None


@pytest.mark.parametrize(
    ("code", "up_to"),
    [
        ("readings[country]", "readings[cou"),
        ("reading.mean()", "reading."),
        ("reading = readings", "reading "),  # a slip for a name that is there
        ("np.mean(celsius)", "np.mean(ce"),
        ("mean = mean + 1", "mean = mean "),
        ("[word.upper()]", "[word.upper()]"),
        ("readings.agg(wrong)", "readings.agg(wrong)"),  # any keyword may come there
        ("np.sum(df, axis)", "np.sum(df, axis)"),
        ("np.where(df, axis)", "np.where(df, ax"),
    ],
)
def test_what_is_not_bound_is_refused_as_soon_as_that_is_seen(code, up_to):
    assert refused(code) == up_to


def test_names_of_comments_strings_attributes_and_keywords_are_not_bound():
    names = judge("import pandas as pd\n# speed\ndf = pd.DataFrame({'weight': [1]}, dtype=int).size\n")
    for name in ("speed", "weight", "dtype", "DataFrame"):
        assert refused(f"len({name})", names), name


def test_a_buffer_that_imports_everything_is_not_judged():
    assert refused("anything + 1", judge("import pandas as pd\nfrom numpy import *\n")) is None


@pytest.mark.parametrize("ask", ["# the intent\n", "# the intent\nx = "])
def test_a_buffer_that_binds_nothing_is_not_judged(ask):
    assert refused("df.mean()", judge("import numpy as np\nimport pandas as pd\n", ask)) is None
    assert refused("df.mean()", judge("import pandas as pd\nsales = pd.read_csv('a')\n", ask)) is not None


def test_what_the_user_typed_is_not_judged():
    assert refused("unheard.mean()", judge(typed="unheard"), width=14) is None
    assert refused("reading.mean()", judge(typed="reading"), width=8) is None
    assert refused("reading.mean()", judge(typed="read"), width=4) == "reading."


@given(st.text("abdf readings=.,()[]{}:'\n#$1", max_size=30), st.integers(0, 30))
def test_any_text_can_be_judged(text, since):
    assert judge().allows(text, min(since, len(text))) in (True, False)
