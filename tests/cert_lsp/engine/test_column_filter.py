"""Which columns may be written where a frame's are known; that nothing is refused where they are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cert_lsp.engine.column_filter import ColumnFilter
from cert_lsp.engine.context import build_context
from tests.cert_lsp.engine import pieces

IMPORTS = "import numpy as np\nimport pandas as pd\n"
BUFFER = IMPORTS + (
    "flights = pd.DataFrame(\n"
    "    {'carrier': ['AA', 'UA'], 'delay': [12.0, np.nan], 'day': pd.to_datetime(['2024-01-03', '2024-01-20'])}\n)\n"
)


def judge(buffer: str = BUFFER, ask: str = "# the intent\n") -> ColumnFilter:
    context = build_context(buffer + ask, len(buffer + ask))
    assert context is not None
    return ColumnFilter.of(context)


def refused(code: str, columns: ColumnFilter | None = None, width: int = 1) -> str | None:
    """Return what is written when the filter refuses to go on, if it does."""
    return pieces.refused(columns or judge(), code, width)


THERE = [
    "flights['delay'].mean()",
    'flights[["carrier", "delay"]].head()',
    "flights.groupby('carrier')['delay'].agg(['mean', 'max'])",
    "flights.groupby(['carrier', 'day']).agg({'delay': 'sum'})",
    "flights.sort_values(by='delay', ascending=False)['day'].dt.year",
    "flights[flights['carrier'] == 'DL']",
    "flights.loc[flights['delay'] > 3, 'carrier'].str.lower()",
    "flights.loc['a']",
    "flights['late'] = flights['delay'] > 10\nflights['late'].sum()",
    "flights.assign(late=1)['late']",
    "flights.rename(columns={'delay': 'minutes'})['minutes']",
    "flights.rename(columns={'delay': 'minutes'}).groupby('minutes')",
    "flights.drop(columns=['delay'])",
    "flights.drop('delay', axis=1)",
    "flights.reset_index()['index']",
    "other['anything'].dt.year",
    "flights.describe()['anything']",
    "flights.pivot_table('delay', 'carrier', aggfunc='sum')",
    "late = flights[['day', 'delay']]\nlate['day']",
    "flights.merge(other, on='carrier')['anything']",
    "flights['delay'].fillna('unknown').str.upper()",
    "print(f'{flights}') or '''text'''",
]


@pytest.mark.parametrize("code", THERE)
@pytest.mark.parametrize("width", [1, 3, 8])
def test_what_is_there_may_be_written_in_whatever_pieces(code, width):
    assert refused(code, width=width) is None


@pytest.mark.parametrize(
    ("code", "up_to"),
    [
        ("flights[['carrier', 'late']]", "flights[['carrier', 'l"),
        ("return flights['late'].mean()", "return flights['l"),
        ("flights.groupby('person')", "flights.groupby('p"),
        ("flights.groupby(['carrier', 'city'])", "flights.groupby(['carrier', 'ci"),
        ("flights.groupby('carrier')['total']", "flights.groupby('carrier')['t"),
        ("flights.groupby('carrier').agg({'total': 'sum'})", "flights.groupby('carrier').agg({'t"),
        ("flights.head().sort_values(by='delays')", "flights.head().sort_values(by='delays"),
        ("flights.loc[flights['delay'] > 3, 'x']", "flights.loc[flights['delay'] > 3, 'x"),
        ("late = flights[['day']]\nx = late['delay']", "late = flights[['day']]\nx = late['de"),
        ("flights.drop(['delay'])", "flights.drop(['delay'])"),
        ("flights['delay'].dt.year", "flights['delay'].dt"),
        ("flights['day'].str.upper()", "flights['day'].str"),
        ("x = flights['late']", "x = flights['l"),
    ],
)
def test_what_is_not_there_is_refused_as_soon_as_that_is_seen(code, up_to):
    assert refused(code) == up_to


def test_at_the_start_of_a_statement_a_new_column_is_stored_or_nothing():
    assert refused("flights['late'].mean()") == "flights['late']."
    assert refused("flights['late'] == 1") == "flights['late'] =="
    assert refused("flights['late'] = 1") is None


def test_a_sketch_has_no_accessor_that_no_column_takes():
    buffer = IMPORTS + "orders = pd.DataFrame({'total': [1, 2], 'city': ['a', 'b']})\n"
    assert refused("orders[$string].dt.year", judge(buffer)) == "orders[$string].dt"
    assert refused("orders[$string].str.lower()", judge(buffer)) is None


@pytest.mark.parametrize(
    "line",
    [
        "flights = load()",
        "flights[name] = 1",
        "flights.columns = names",
        "flights = pd.DataFrame({'delay': [1]}, index=levels)",
        "for flights in several: pass",
        "def f(flights):",
    ],
)
def test_after_a_line_that_could_bind_anything_nothing_is_refused(line):
    ask = "    # the intent\n" if line.startswith("def") else "# the intent\n"
    assert refused("flights['anything'].dt.year", judge(f"{BUFFER}{line}\n", ask)) is None


@pytest.mark.parametrize(
    "made",
    [
        "pd.DataFrame([[1, 2]], columns=['long', 'b'])",
        "pd.DataFrame(x, None, list('lb')).rename(columns={'l': 'long'})",
        "pd.DataFrame([{'long': 1}, {'b': 2}])",
        "pd.DataFrame(dict(long=1, b=2))",
        "pd.DataFrame({'a': [1]}, index=pd.Index([1], name='long'))",
        "flights.assign(long=1)",
        "flights.set_index('carrier').reset_index().assign(long=1)",
    ],
)
def test_columns_are_read_from(made):
    columns = judge(f"{BUFFER}made = {made}\nmade['more'] = 1\n")
    assert refused("made['long']", columns) is None
    assert refused("made['more']", columns) is None
    assert refused("x = made['wrong']", columns) is not None


@given(st.text("flights ['carrier'].=,(){}:\n#$dt1", max_size=30), st.integers(0, 30))
def test_any_text_can_be_judged(text, since):
    assert judge().allows(text, min(since, len(text))) in (True, False)
