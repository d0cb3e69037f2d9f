"""Which names are taken for made up, and which are not judged."""

import ast

import pytest

from cert_lsp.engine.api_index import api_index, unknown_names

IMPORTS = "import numpy as np\nimport pandas as pd\nfrom numpy import linalg\nimport matplotlib.pyplot as plt\n"


def unknown(code: str, around: str = IMPORTS) -> set[str]:
    return unknown_names(ast.parse(code), around)


def test_the_index_covers_an_old_and_a_new_version() -> None:
    index = api_index()
    assert {version.partition(".")[0] for version in index.versions["pandas"]} >= {"1", "3"}
    assert {version.partition(".")[0] for version in index.versions["numpy"]} >= {"1", "2"}
    assert {"read_csv", "DataFrame", "concat"} <= index.modules["pandas"]
    assert {"isnan", "trapz", "trapezoid"} <= index.modules["numpy"]  # the last two are of different versions
    assert {"iloc", "append", "groupby", "strftime", "ravel", "startswith", "total_seconds"} <= index.attributes


@pytest.mark.parametrize(
    "code",
    [
        "np.linalg.inv(a)",
        "linalg.inv(a)",
        "pd.api.types.is_numeric_dtype(a)",
        "pd.offsets.MonthEnd(1)",
        "np.random.default_rng(1).integers(3)",
        "df.groupby('a')['b'].rolling(2).mean().str.upper().dt.total_seconds()",
        "pd.DataFrame.from_dict({}).T.iloc[0]",
        "np.finfo(float).eps + np.char.upper(a)",
        "', '.join(a.strip() for a in b)",
        "plt.nothing(1).nowhere()",
        "self.nothing(1)",
        "ax = plt.gca()\nax.set_title('a')",
        "df.plot().set_title('a')",
        "import scipy\nscipy.nothing",
        "df._mgr",
        "df['total'] = 1\ndf.total",
        "df.agg(total=('a', 'sum')).total",
    ],
)
def test_is_not_made_up(code: str) -> None:
    assert unknown(code) == set()


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("np.isempty(a)", {"isempty"}),
        ("np.linalg.inverse(a)", {"inverse"}),
        ("linalg.inverse(a)", {"inverse"}),
        ("df.sort_by('a').head().nowhere()", {"sort_by", "nowhere"}),
        ("pd.DataFrame.from_nothing()", {"from_nothing"}),
        ("df.carrier", {"carrier"}),
    ],
)
def test_is_made_up(code: str, names: set[str]) -> None:
    assert unknown(code) == names


def test_usual_names_of_the_libraries_need_no_import() -> None:
    assert unknown("np.isempty(pd.isnull(a))", "") == {"isempty"}
    assert unknown("np.isempty(a)", "import nptools as np") == set()


def test_a_column_may_have_any_name_that_occurs_but_a_method_must_stand_in_the_code() -> None:
    around = IMPORTS + "# inverse delay per carrier\n"
    assert unknown("df.delay.mean()", around) == set()
    assert unknown("df.inverse()", around) == {"inverse"}
    assert unknown("df.inverse()", around + "df.inverse()\n") == set()
    assert unknown("df.carrier", IMPORTS + "df['carrier']\n") == set()


def test_what_an_unknown_library_gave_is_not_judged() -> None:
    around = IMPORTS + "fig, ax = plt.subplots()\nbars = ax.bar(1, 2)\nframe = pd.DataFrame()\n"
    assert unknown("ax.set_title('a')\nbars.nothing()\nframe.nowhere()", around) == {"nowhere"}
