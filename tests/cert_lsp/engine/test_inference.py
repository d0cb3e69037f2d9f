"""What an expression may be, told from the buffer's lines."""

import pytest

from cert_lsp.engine.api_index import Versions, api_of
from cert_lsp.engine.inference import Scope, hidden_names
from cert_lsp.engine.values import Class, Function, Module, Value

API = api_of(Versions("2.3", "2.0"))
EVERY = API.every
BUFFER = """\
import datetime
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from pandas import Series

df = pd.read_csv("sales.csv")
other: pd.DataFrame = load()
s = df["price"]
a = np.arange(12).reshape(3, 4)
rng = np.random.default_rng(0)
name, count = "x", 3
fig, ax = plt.subplots()
long = df.melt(id_vars="day").groupby(
    "day"
)
if count:
    broken = (
"""


def type_of(expression: str, code: str = BUFFER) -> Value:
    return Scope(API, code).type_of(expression)


@pytest.mark.parametrize(
    ("expression", "titles"),
    [
        ("np.mean(np.ma.masked_array(a), axis=1)", {"MaskedArray", "ndarray"}),
        ("df[['price']]", {"DataFrame"}),
        ("df['price']", {"Series"}),
        ("df[$string]", {"Series"}),  # a sketch
        ("df[df['price'] > 1]", {"DataFrame"}),
        ("df[mask]", {"DataFrame", "Series"}),
        ("df.price", {"Series"}),
        ("df.price * 2 + 1", {"Series"}),
        ("df.groupby('a')['b']", {"SeriesGroupBy"}),
        ("df.groupby('a')['b'].mean()", {"Series"}),
        ("df.groupby('a')[['b', 'c']].mean()", {"DataFrame"}),
        ("df.groupby('a').size().reset_index(name='n')", {"DataFrame", "Series"}),
        ("df.loc[df['a'] > 1, 'b']", {"Series"}),
        ("df.loc[df['a'] > 1]", {"DataFrame"}),
        ("df.iloc[0]", {"Series"}),
        ("df.iloc[:5]", {"DataFrame"}),
        ("df.shape", {"tuple"}),
        ("other.sort_values('a').head()", {"DataFrame"}),
        ("s.str", {"StringMethods"}),
        ("s.str.upper().to_frame()", {"DataFrame"}),
        ("long", {"DataFrameGroupBy"}),
        ("a.T", {"ndarray"}),
        ("a > 1", {"ndarray"}),
        ("np.log(s)", {"Series"}),
        ("np.log(df)", {"DataFrame"}),
        ("Series([1]).to_frame()", {"DataFrame"}),
        ("pd.DataFrame({'a': [1]})", {"DataFrame"}),
        ("pd.merge(df, other).T", {"DataFrame"}),
        ("rng", {"Generator"}),
        ("name", EVERY),  # one of several targets
        ("f'{name}'", {"str"}),
        ("[1, 2]", {"list"}),
        ("len(df)", {"int"}),
    ],
)
def test_types(expression: str, titles: set[str]) -> None:
    found = type_of(expression)
    assert isinstance(found, frozenset)
    assert found - {"Index"} == titles or found == titles


def test_an_index_may_be_of_any_kind() -> None:
    found = type_of("df.index")
    assert isinstance(found, frozenset)
    assert {"Index", "DatetimeIndex", "MultiIndex"} <= found


def test_modules_classes_and_functions() -> None:
    assert type_of("np.linalg") == Module("numpy.linalg")
    assert type_of("pd.DataFrame") == Class("DataFrame")
    assert isinstance(type_of("df.head"), Function)


@pytest.mark.parametrize("expression", ["unbound", "df.loc[0, 'a']", "df['a'", "df.nothing_known().at[0]"])
def test_not_known_may_be_any_type(expression: str) -> None:
    assert type_of(expression) == EVERY


@pytest.mark.parametrize("expression", ["plt.figure()", "ax", "ax.bar(1)", "self.frame", "df.plot()", "load()"])
def test_other_peoples_objects_are_not_judged(expression: str) -> None:
    assert type_of(expression) is None


def test_annotations_docstrings_and_scopes() -> None:
    code = """\
import pandas as pd
class Store:
    pass
def first(df: pd.DataFrame, when: "pd.Timestamp", store, data):
    inner = df["a"]
def second(x, y, z):
    '''Do it.

    Parameters
    ----------
    x : pandas.Series
    y : array_like
    '''
    total = x.sum()
"""
    assert type_of("inner", code) == EVERY  # of the other function
    assert type_of("x", code) == frozenset({"Series"})
    assert type_of("y", code) is None
    body = code[: code.index("def second")]
    assert type_of("df", body) == frozenset({"DataFrame"})
    assert type_of("when", body) == frozenset({"Timestamp"})
    assert type_of("inner", body) == frozenset({"Series"})
    assert type_of("store", body) is None  # may be one of the file's own classes
    assert type_of("data", body) == EVERY  # has a frame's name


@pytest.mark.parametrize(
    ("said", "titles"),
    [
        ("np.ndarray, shape=(n_samples, [1])", {"ndarray"}),
        ("ndarray of shape (n, 2), optional", {"ndarray"}),
        ("numpy.ndarray[float, 3] or pd.Series", {"ndarray", "Series"}),
        ("list of ndarray", None),
        ("ndarray (or list)", None),
    ],
)
def test_what_a_docstring_tells_of_an_arrays_items_is_no_other_type(said: str, titles: set[str] | None) -> None:
    code = f"import pandas as pd\nclass Store: ...\ndef f(x):\n    '''Do it.\n\n    x : {said}\n    '''\n    "
    assert type_of("x", code) == (None if titles is None else frozenset(titles))


GOOGLE = """\
import pandas as pd
def f(prices, n, other):
    \'\'\'Do it.

    Args:
        * prices (Series or DataFrame): All.
        other (pd.Series, optional): More.
        n (int): How many.
    \'\'\'
    """


@pytest.mark.parametrize(
    ("name", "titles"), [("prices", {"Series", "DataFrame"}), ("other", {"Series"}), ("n", {"int"})]
)
def test_docstrings_in_googles_way_tell_types_too(name: str, titles: set[str]) -> None:
    assert type_of(name, GOOGLE) == frozenset(titles)


PARTS = """\
import numpy as np
import pandas as pd
days = pd.Series(pd.date_range("2024", periods=3))
waits = pd.Series([pd.Timedelta(1), pd.Timedelta(2)], index=["a", "b"])
df = pd.DataFrame({"day": pd.period_range("2024", periods=2), "n": [1, 2]}, index=pd.interval_range(0, 2))
counts = pd.Series({"a": 1, "b": 2})
both = pd.DataFrame([days, waits])
grid = pd.DataFrame(np.zeros((2, 2)))
later = pd.read_csv("a.csv")
later["day"] = pd.to_datetime(later["day"])
"""


@pytest.mark.parametrize(
    ("expression", "title"),
    [
        ("days.index", "RangeIndex"),
        ("days.dt", "DatetimeProperties"),
        ("waits.index", "Index"),
        ("waits.dt", "TimedeltaProperties"),
        ("df.index", "IntervalIndex"),
        ("df['day'].dt", "PeriodProperties"),
        ("counts.index", "Index"),
        ("grid.index", "RangeIndex"),
        ("later['day'].dt", "DatetimeProperties"),
    ],
)
def test_the_call_that_made_it_tells_of_its_parts(expression: str, title: str) -> None:
    assert type_of(expression, PARTS) == frozenset({title})


@pytest.mark.parametrize(
    ("line", "expression"),
    [
        ("days = load()", "days.index"),
        ("df = df.set_index('day')", "df.index"),
        ("df.set_index('day', inplace=True)", "df.index"),
        ("df.loc['total'] = 0", "df.index"),
        ("df.index = names", "df.index"),
        ("later['day'] = later['day'].diff()", "later['day'].dt"),
        ("def f(days, n):\n    n = 1", "days.index"),
        ("days: pd.Series = load()", "days.index"),
        ("", "both.index"),
        ("", "later.index"),
        ("", "df['n'].dt"),
    ],
)
def test_of_parts_that_may_be_otherwise_by_now_nothing_is_told(line: str, expression: str) -> None:
    found = type_of(expression, f"{PARTS}{line}\n")
    assert not isinstance(found, frozenset) or len(found) > 1


def test_a_variable_of_a_lambda_has_no_parts_of_its_namesake() -> None:
    assert Scope(API, PARTS).type_of("days.index", {"days": EVERY}) != frozenset({"RangeIndex"})


def test_an_index_that_is_set_is_known() -> None:
    code = PARTS + "later.index = pd.to_timedelta(later.index)\ndays.index = pd.date_range('2024', periods=3)\n"
    assert type_of("days.index", code) == frozenset({"DatetimeIndex"})


def test_what_a_test_of_the_type_tells_holds_in_its_block() -> None:
    code = "import numpy as np\nimport pandas as pd\nif isinstance(unbound, (pd.Series, pd.DataFrame)):\n    a = 1\n"
    assert type_of("unbound", code) == frozenset({"Series", "DataFrame"})
    assert type_of("unbound", code + "elif isinstance(unbound, np.ndarray):\n    a = 1\n") == frozenset({"ndarray"})
    assert type_of("unbound", code + "elif unbound:\n    a = 1\n") == EVERY


def test_variables_of_lambdas_and_comprehensions_hide_those_of_the_buffer() -> None:
    assert hidden_names("f(lambda row, df: [x for x, y in row]") == {"row", "df", "x", "y"}
    assert Scope(API, BUFFER).type_of("df", {"df": EVERY}) == EVERY
    scope = Scope(API, BUFFER)
    scope.type_of("df.a", {"df": EVERY})
    assert scope.type_of("df") == frozenset({"DataFrame"})


def test_lines_of_the_answer_come_after_the_buffer() -> None:
    scope = Scope(API, BUFFER)
    assert scope.extended("s = s.to_frame()\n").type_of("s") == frozenset({"DataFrame"})
    assert scope.type_of("s") == frozenset({"Series"})
