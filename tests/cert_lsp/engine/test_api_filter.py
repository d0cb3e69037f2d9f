"""What may be written and what may not; that it never stands in the way of what the user wrote."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cert_lsp.engine.api_filter import ApiFilter
from cert_lsp.engine.api_index import UNKNOWN, Versions
from cert_lsp.engine.context import build_context
from tests.cert_lsp.engine.pieces import refused

IMPORTS = "import numpy as np\nimport pandas as pd\nfrom numpy import linalg\nimport matplotlib.pyplot as plt\n"
FRAME = IMPORTS + "df = pd.DataFrame({'price': [1], 'kind': ['a']})\n"
OLD, NEW = Versions("1.5.3", "1.23.5"), Versions("3.1.1", "2.4.6")


def api(around: str = IMPORTS, versions: Versions = UNKNOWN, statement: str = "", typed: str = "") -> ApiFilter:
    return ApiFilter(around, statement, typed, versions)


def unknown(code: str, around: str = IMPORTS, versions: Versions = UNKNOWN) -> set[str]:
    return {fault.name for fault in api(around, versions).faults(code)}


EXISTS = [
    "np.linalg.inv(a)",
    "linalg.inv(a)",
    "pd.api.types.is_numeric_dtype(a)",
    "pd.offsets.MonthEnd(1)",
    "np.random.default_rng(1).integers(3)",
    "x.groupby('a')['b'].rolling(2).mean().str.upper().dt.total_seconds()",
    "pd.DataFrame.from_dict({}).T.iloc[0]",
    "np.finfo(float).eps + np.char.upper(a)",
    "', '.join(a.strip() for a in b)",
    "plt.nothing(1).nowhere(none=1)",
    "self.nothing(1)",
    "ax = plt.gca()\nax.set_title('a')",
    "fig, ax = plt.subplots()\nbars = ax.bar(1, 2)\nbars.nothing()",
    "df.plot().set_title('a')",
    "import scipy\nscipy.nothing",
    "df._mgr",
    "df['total'] = 1\ndf.total",
    "df.agg(total=('a', 'sum')).total",
    "df.assign(total=1)",
    "df.sort_values('a', ascending=False).head(n=3)",
    "x = 1.5 + .5",
    "df.apply(lambda row: row['a'].strip(), axis=1)",
    "sorted(names, key=lambda name, n=2: name[:n])",
    "def mean(values, weight=1):\n    return weight",
    "print('df.nothing(1, none=2)')  # df.nothing()",
    "np.add.reduce(a)",
    "df.apply(lambda row: row['a'].strip().upper(), axis=1)",
    "df.assign(total=lambda d: d['a'].str.len() + d['b'])",
    "df.groupby('a').apply(lambda g: g.nlargest(2, 'b'))",
    "names.sort(key=len)",
    "np.concatenate([a, b], axis=0)",
    "df.loc[df['a'] == 1, 'b']",
    "d['a'].values()",
    "df.to_dict(orient='records')[0]['a'].lower()",
]


@pytest.mark.parametrize("code", EXISTS)
def test_is_not_made_up(code: str) -> None:
    assert unknown(code) == set()


@pytest.mark.parametrize("code", EXISTS)
@pytest.mark.parametrize("width", [1, 3, 8])
def test_what_exists_may_be_written_in_whatever_pieces(code: str, width: int) -> None:
    assert refused(api(), code, width) is None


PLACED = [
    "df.combine_first(other)",
    "df.groupby('a', as_index=False)['b'].mean()",
    "df.groupby(lambda a: (a, 1))['b'].sum()",
    "df['b'].str.split(',', n=1, expand=True)",
    "df['b'].map(lambda a, b=1: a)",
    "pd.DataFrame.combine_first(df, other)",
    "np.maximum(a, b, out=c)",
    "np.maximum(*both)",
    "np.where(a, b, c)",
    "np.random.rand(2, 3, 4)",
    "pd.concat([a, b], axis=1)",
    "a.sort(key=len)",
    "df.pivot_table('a', 'b', 'c', 'sum')",
    "unknown(1, 2, 3).notna()",
]
CROWDED = [
    ("df.index.notna(other)", "df.index.notna(o"),
    ("df.columns.remove_unused_levels(1)", "df.columns.remove_unused_levels(1"),
    ("df.combine_first(other, 'x')", "df.combine_first(other,"),
    ("df.groupby('a')['b'].nunique(True, 1)", "df.groupby('a')['b'].nunique(True,"),
    ("np.maximum(a, b, c, d)", "np.maximum(a, b, c, d)"),
    ("np.maximum(a, b, c, 'd')", "np.maximum(a, b, c, '"),
    ("pd.concat([a, b], [c])", "pd.concat([a, b], ["),
    ("np.polynomial.legendre.leg2poly(c1, c2)", "np.polynomial.legendre.leg2poly(c1,"),
]


@pytest.mark.parametrize("code", PLACED)
@pytest.mark.parametrize("width", [1, 3, 8])
def test_as_many_arguments_as_are_taken_may_be_written(code: str, width: int) -> None:
    assert refused(api(FRAME), code, width) is None


@pytest.mark.parametrize(("code", "up_to"), CROWDED)
def test_more_arguments_than_are_taken_may_not(code: str, up_to: str) -> None:
    assert refused(api(FRAME), code) == up_to


FITS = [
    "np.polyfit(x, y, deg=1)",
    "np.arctan2(*both)",
    "df.rename(columns={'a': (1, 2)}).combine(other, func=np.minimum)",
    "pd.Timedelta(1).round('D')",
    "function(1)()",
    "frames[0](1)",
    "np.frompyfunc(str, 1, 1)(a)",
    "np.poly1d([1, 2])(3)",
    "pd.DataFrame.merge(df)",  # which lacks one, but what a class's function takes is not counted
    "df.groupby('a').apply(lambda g: g.nlargest(2, 'b'))",
]
DOES_NOT_FIT = [
    ("np.arctan2(a / b)", "np.arctan2(a / b)"),
    ("np.maximum(a)", "np.maximum(a)"),
    ("df['a'].combine(df['b'])", "df['a'].combine(df['b'])"),
    ("pd.Timedelta(1).round()", "pd.Timedelta(1).round()"),
    ("linalg(a)", "linalg("),
    ("df(1)", "df("),
    ("df['a'](1)", "df['a']("),
    ("[1, 2](0)", "[1, 2]("),
    ("pd.merge(df)", "pd.merge(df)"),
]


@pytest.mark.parametrize("code", FITS)
@pytest.mark.parametrize("width", [1, 3, 8])
def test_a_call_that_fits_may_be_written(code: str, width: int) -> None:
    assert refused(api(FRAME), code, width) is None


@pytest.mark.parametrize(("code", "up_to"), DOES_NOT_FIT)
def test_what_cannot_be_called_or_lacks_an_argument_may_not(code: str, up_to: str) -> None:
    assert refused(api(FRAME), code) == up_to


def test_an_argument_that_one_release_does_not_need_is_not_missed() -> None:
    assert refused(api(FRAME, NEW), "df.pivot()") == "df.pivot()"
    assert refused(api(FRAME), "df.pivot()") is None


def test_arguments_that_the_user_typed_are_no_fault() -> None:
    typed = "df.index.notna(other, "
    assert api(FRAME, statement="", typed=typed).allows(typed + "1)", len(typed))


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("np.isempty(a)", {"isempty"}),
        ("np.linalg.inverse(a)", {"inverse"}),
        ("linalg.inverse(a)", {"inverse"}),
        ("df.sort_by('a').head().nowhere()", {"sort_by", "nowhere"}),
        ("pd.DataFrame.from_nothing()", {"from_nothing"}),
        ("df.carrier", {"carrier"}),
        ("df.linalg", {"linalg"}),  # a name of the code, but of no column
        ("df[columns].str.upper()", {"str", "upper"}),
        ("df.groupby('a')['b'].apply(lambda row: row.diff(), axis=1)", {"axis"}),
        ("s.ceil()", {"ceil"}),
        ("rle.len()", {"len"}),  # which `.str` alone has
        ("x.repeat.combine_first(5)", {"combine_first"}),
        ("df.sort_values(by='a', asc=False)", {"asc"}),
        ("pd.concat([a, b], ignore_indx=True)", {"ignore_indx"}),
        ("pd.read_csv('a.csv', seperator=';')", {"seperator"}),
        ("np.array([1]).unique()", {"unique"}),
        ("pd.Series([1]).str.uper()", {"uper"}),
        ("df.groupby('a').apply(lambda g: g, axis=1)", {"axis"}),
        ("df['a'].apply(np.isin, fill_value=True)", {"fill_value"}),
        ("df.groupby('a').filter(lambda g: g['b'].is_empty())", {"is_empty"}),
        ("df.groupby('a')['b'].agg(lambda s: s.columns)", {"columns"}),
        ("df.apply(lambda row: row.pivot('a'), axis=1)", {"pivot"}),
        ("df.assign(total=lambda d: d.strip())", {"strip"}),
        ("whatever.to_numpy(index=False)", {"index"}),
        ("df.apply(np.sum, axis=1, numeric_only=True, fill=0)", {"fill"}),
        ("df.head.mean()", {"mean"}),
        ("df.shape()", {"shape"}),
        ("pd.DataFrame(data=[1], cols=['a'])", {"cols"}),
    ],
)
def test_is_made_up(code: str, names: set[str]) -> None:
    assert unknown(code) == names


@pytest.mark.parametrize(
    ("code", "old", "new"),
    [
        ("df.append(df)", set(), {"append"}),
        ("df.map(str)", {"map"}, set()),
        ("np.trapz([1])", set(), {"trapz"}),
        ("pd.Int64Index([1])", set(), {"Int64Index"}),
        ("df.to_csv('a', line_terminator='x')", {"line_terminator"}, {"line_terminator"}),
        ("df.groupby('kind')['price'].mean().columns", {"columns"}, {"columns"}),
    ],
)
def test_by_the_projects_release(code: str, old: set[str], new: set[str]) -> None:
    assert unknown(code, FRAME, OLD) == old
    assert unknown(code, FRAME, NEW) == new


def test_usual_names_of_the_libraries_need_no_import() -> None:
    assert unknown("np.isempty(pd.isnull(a))", "") == {"isempty"}
    assert unknown("np.isempty(a)", "import nptools as np") == set()


def test_a_column_may_have_any_name_that_occurs_but_a_method_must_stand_in_the_code() -> None:
    around = IMPORTS + "# inverse delay per carrier\n"
    assert unknown("df.delay.mean()", around) == set()
    assert unknown("df.inverse()", around) == {"inverse"}
    assert unknown("df.inverse()", around + "df.inverse()\n") == set()
    assert unknown("df.carrier", IMPORTS + "df['carrier']\n") == set()
    assert unknown("df.groupby('kind').price.mean()", FRAME) == set()


def test_prose_names_columns_where_the_code_does_not_show_them_all() -> None:
    intent = "# repeat the `total` of each row\n"
    assert unknown("df.repeat.mean()", IMPORTS + "df = pd.read_csv('a.csv')\n" + intent) == set()
    assert unknown("df.repeat.mean()", FRAME + intent) == {"repeat"}
    assert unknown("df.total.mean() + df.price.mean()", FRAME + intent) == set()
    listed = IMPORTS + "df = pd.DataFrame([[1, 2.5]], columns=['A', 'B'])\n# columns of one dtype\n"
    assert unknown("df.dtype.A", listed) == {"dtype"}


def test_what_is_used_on_a_receiver_is_right_there_alone() -> None:
    around = FRAME + "items = []\nitems.append(1)\ndf.to_warehouse(1)\n"
    assert unknown("df.to_warehouse(2)", around, NEW) == set()
    assert unknown("df.append(df)", around, NEW) == {"append"}


def test_where_pandas_is_no_part_of_the_file_nothing_is_taken_for_a_frame() -> None:
    alone = "import numpy as np\ndef scaled(x, weights):\n    "
    assert unknown("x.groupby(weights).mean()", alone) == {"groupby"}
    assert unknown("np.abs(x - 1).abs()", alone) == {"abs"}
    assert unknown("x.reshape(2, -1).mean(axis=0)\nweights.append(1)", alone) == set()
    for spoken in ("# a data frame\n", "import pandas as pd\n", "def g(df): pass\n", "# a price series\n"):
        assert unknown("x.groupby(weights).mean()", spoken + alone) == set()


def test_where_no_text_is_spoken_of_nothing_is_taken_for_a_string() -> None:
    alone = "import numpy as np\ndef last_run(x):\n    "
    assert unknown("x.rfind(1)", alone) == {"rfind"}
    for spoken in ("# the last line of a file\n", "def g(name): pass\n", "import pandas as pd\n"):
        assert unknown("x.rfind(1)", spoken + alone) == set()


def test_where_a_series_is_spoken_of_what_is_given_may_be_one() -> None:
    def faults(code: str, intent: str) -> set[str]:
        judge = ApiFilter("import pandas as pd\ndef f(x, y):\n    ", "", "", UNKNOWN, intent=intent)
        return {fault.name for fault in judge.faults(code)}

    assert faults("x.diff(1, axis=0)", "differences of a DataFrame or a Series") == {"axis"}
    assert faults("x.diff(1, axis=0)", "differences of it") == set()
    assert faults("x.merge(y, on='a')", "a frame joined with a Series") == set()  # a series has no such method
    assert faults("x.diff(periods=1)", "differences of a Series") == set()


def test_what_an_unknown_library_gave_is_not_judged() -> None:
    around = IMPORTS + "fig, ax = plt.subplots()\nbars = ax.bar(1, 2)\nframe = pd.DataFrame()\n"
    assert unknown("ax.set_title('a')\nbars.nothing()\nframe.nowhere()", around) == {"nowhere"}


def test_a_name_is_refused_as_soon_as_nothing_begins_like_it() -> None:
    judge = api(FRAME)
    assert judge.allows("df.sort_", 3)
    assert not judge.allows("df.sort_b", 8)
    assert judge.allows("df.price", 3)
    assert judge.allows("df.price.", 8)
    assert not judge.allows("df.price(", 8)  # a column is not called
    assert not judge.allows("df['price'].str.fin(", 19)
    assert not judge.allows("df.mean(axs=", 11)
    assert not judge.allows("df.sort_values(ascendingly", 15)


def test_what_the_user_typed_is_theirs() -> None:
    assert api(FRAME, statement="df.", typed="nowhere").allows("nowhere(", 7)
    assert not api(FRAME, statement="df.", typed="so").allows("sortby", 2)
    assert api(FRAME, statement="df.", typed="so").allows("sort_", 2)
    assert api(FRAME + "y = df.nothing(", statement="y = df.nothing(").allows("1)", 1)


def test_sketches_are_judged_like_code() -> None:
    judge = api(FRAME)
    assert judge.allows("df[$string].str.", 0)
    assert judge.allows("df[$string].str.upper()", 16)
    assert not judge.allows("df[$string].columns", 12)
    assert not judge.allows("df.sort_values($string, asc=", 27)


@given(st.text("df.np()[]'\"=,: \nmeanhd$string1", max_size=40), st.integers(0, 40))
def test_any_text_can_be_judged(text: str, since: int) -> None:
    judge = api(FRAME)
    judge.allows(text, min(since, len(text)))
    judge.faults(text)
    judge.mended(text)


@pytest.mark.parametrize(
    ("code", "mended"),
    [
        ("out = df.append(df, ignore_index=True)", "out = pd.concat([df, df], ignore_index=True)"),
        (
            "df.append({'kind': 'b'}, ignore_index=True)",
            "pd.concat([df, pd.DataFrame([{'kind': 'b'}])], ignore_index=True)",
        ),
        ("df['kind'].append(df['kind'])", "pd.concat([df['kind'], df['kind']])"),
        ("df.append([df, df]).head()", "pd.concat([df, *[df, df]]).head()"),
        ("df.applymap(len)", "df.map(len)"),
        ("np.in1d([1], [2])", "np.isin([1], [2])"),
        ("df.astype(np.float)", "df.astype(float)"),
        ("df.to_csv('a', line_terminator='x')", "df.to_csv('a', lineterminator='x')"),
        ("for name, column in df.iteritems():\n    pass", "for name, column in df.items():\n    pass"),
        ("df.head()", "df.head()"),
        ("df.lookup(1, 2)", None),
        ("df.append(other=df)", None),
        ("df.append(df).nowhere()", None),
    ],
)
def test_removed_api_gives_way_to_its_successor(code: str, mended: str | None) -> None:
    assert api(FRAME, NEW).mended(code) == mended


def test_removed_api_with_a_successor_may_be_written_only_where_it_can_be_rewritten() -> None:
    assert api(FRAME, NEW).allows("df.append(", 9)
    assert not api(FRAME, NEW, statement="out = df.").allows("append(", 6)
    assert not ApiFilter(FRAME, "", "", NEW, mends=False).allows("df.append(", 9)
    assert not api(FRAME, NEW).allows("df.lookup(", 9)


def test_a_context_tells_all_that_is_needed() -> None:
    text = FRAME + "# the mean price\nresult = df.pri"
    context = build_context(text, len(text))
    assert context
    judge = ApiFilter.of(context)
    assert judge.allows("price.mean(", 6)
    assert not judge.allows("price.meen(", 6)
