"""What is offered first, and what is not offered."""

import ast
import sys
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cert_lsp.engine.api_filter import ApiFilter
from cert_lsp.engine.api_index import Versions
from cert_lsp.engine.context import Context, build_context
from cert_lsp.engine.rank import Draw, free_names, rank

IMPORTS = "import pandas as pd\n\ndf = pd.read_csv('a.csv')\n"


def context_of(text: str) -> Context:
    before, _, after = (IMPORTS + text).partition("|")
    context = build_context(before + after, len(before))
    assert context is not None
    return context


def codes(text: str, *answers: str) -> list[str]:
    """Rank answers, each scored lower than the one before."""
    draws = [Draw(answer, "", -float(index)) for index, answer in enumerate(answers)]
    context = context_of(text)
    return [candidate.code for candidate in rank(context, draws, ApiFilter.of(context))]


def test_best_score_first() -> None:
    assert codes("# mean\n|", "x = df.mean()", "y = df.a") == ["x = df.mean()", "y = df.a"]


def test_the_whole_counts_and_not_the_mean_of_its_tokens() -> None:
    draws = [Draw(" df.groupby('a')['b'].mean()", "", -3.0, 30), Draw(" df.mean()", "", -2.0, 4)]
    found = rank(context_of("# mean\nx =|"), draws, None)
    assert [(each.code, each.score) for each in found] == [
        (" df.mean()", -0.5),
        (" df.groupby('a')['b'].mean()", pytest.approx(-0.1)),
    ]


def test_what_does_not_parse_is_not_offered() -> None:
    assert codes("# mean\nx =|", " df.mean(", " df.mean())", " for", " df.a") == [" df.a"]


def test_a_placeholder_is_no_code() -> None:
    assert codes("# mean\nx =|", " df[$string]", " df['$a']") == [" df['$a']"]


def test_an_f_string_must_parse_here() -> None:
    nested = """ f'{df['a']}'"""  # Python 3.12 reads it, 3.11 does not
    expected = [nested] if sys.version_info >= (3, 12) else []
    assert codes("# mean\nx =|", nested) == expected
    assert codes("# mean\nx =|", " f'{df.a}'") == [" f'{df.a}'"]


def test_unknown_names_come_last() -> None:
    assert codes("# mean\nx = |", " nowhere.mean()", " df.mean()") == ["df.mean()", "nowhere.mean()"]


def test_api_that_does_not_exist_comes_last() -> None:
    answers = (" df.isempty()", " nowhere.mean()", " df.mean()")
    assert codes("# mean\nx = |", *answers) == ["df.mean()", "nowhere.mean()", "df.isempty()"]
    assert codes("# mean\nx = df.assign(|)", "df.isempty()", "df.mean()") == ["df.mean()", "df.isempty()"]


def test_removed_api_is_offered_as_its_successor() -> None:
    context = replace(context_of("# all rows\nx = |"), versions=Versions("3.1", "2.4"))
    draws = [Draw(" df.append(df)", " df.append(df)", 0.0), Draw(" df.lookup(1, 2)", "", 1.0)]
    api = ApiFilter.of(context)
    mended, fault = rank(context, draws, api)
    assert (mended.code, mended.sketch, mended.api_exists) == ("pd.concat([df, df])", " pd.concat([df, df])", True)
    assert (fault.code, fault.api_exists) == ("df.lookup(1, 2)", False)
    as_written = rank(context, draws, api, mend=False)
    assert [(each.code, each.api_exists) for each in as_written] == [
        ("df.lookup(1, 2)", False),
        ("df.append(df)", False),
    ]


def test_the_same_code_is_offered_once() -> None:
    assert codes("# mean\nx = |", " df[ 'a' ]", " df['a']", " df.a  ") == ["df[ 'a' ]", "df.a"]


def test_nothing_is_not_offered() -> None:
    assert codes("# mean\nx = |", " ", "") == []
    assert codes("# mean\n|", "\n") == []


@pytest.mark.parametrize(
    ("text", "answer", "code"),
    [
        ("# mean\nx = df.groupby(|)", "'a').mean()", "'a'"),
        ("# mean\nx = df.groupby(|)", "['a', ('b')])", "['a', ('b')]"),
        ("# mean\nx = df[df.groupby(|)]", "')').mean()]", "')'"),
        ("# mean\nx = df.groupby(|)", "'a'", "'a'"),
        ("# mean\nfor c in df.head(|):", "2):\n    print(c)", "2"),
        ("# mean\n|\nprint(x)\n", "x = df.a\nprint(x)", "x = df.a"),
        ("# mean\nx = |\nprint(x)\n", " df.a\nprint(x)", "df.a"),
        ("# mean|\n\nprint(x)\n", "x = df.a\nprint(x)", "\nx = df.a"),
    ],
)
def test_what_stands_behind_the_cursor_is_not_repeated(text: str, answer: str, code: str) -> None:
    assert codes(text, answer) == [code]


def test_what_stands_there_already_is_not_offered() -> None:
    assert codes("# mean|\nx = df.mean()\n", "x = df.mean()") == []


def test_the_end_of_a_branch_is_offered() -> None:
    text = "# choose\nif df.empty:\n    x = 1\nelif |"
    context = build_context(IMPORTS + text.replace("|", ""), len(IMPORTS + text) - 1)
    assert context is not None
    assert [found.code for found in rank(context, [Draw(" len(df) > 1:\n    x = 2", "", 0.0)], None)] == [
        "len(df) > 1:\n    x = 2"
    ]


@pytest.mark.parametrize(
    ("statement", "answer", "names"),
    [
        ("x = ", "df.mean(axis=n)", {"df", "n"}),
        ("", "    y = [c for c in df]\n    y.sort(key=lambda v: v[k])", {"df", "k"}),
        ("", "def f(a, *b, **c):\n    return a, b, c", set()),
        ("", "import os.path\nprint(os)", {"print"}),
        ("x = ", "df.mean(", set()),
    ],
)
def test_free_names(statement: str, answer: str, names: set[str]) -> None:
    assert free_names(statement, answer) == names


_PIECES = st.sampled_from(
    [
        "x",
        " = ",
        "df",
        ".mean()",
        "(",
        ")",
        "[",
        "]",
        "'a'",
        "\n",
        "    ",
        ", ",
        "1",
        "for c in df:",
        "return ",
        "# so\n",
        ":",
    ]
)


@given(
    st.sampled_from(
        [
            "# mean\n|",
            "# mean|",
            "# mean\nx = |\ny = 1",
            "# mean\nx = df.groupby(|)",
            "# mean\nx = df[(|)]",
            "# mean\nx = [\n    |\n]",
            "# mean\nfor c in df.head(|):\n    pass",
            "# mean\nfor c in df:\n    |",
            'def f(df):\n    """Mean."""\n    |',
            'def f(df):\n    """Mean."""|',
            "def f(df):\n    # mean\n    |\n    return x",
            "def f(df):\n    # mean\n    return |",
        ]
    ),
    st.lists(_PIECES, max_size=10).map("".join),
)
@settings(max_examples=200)
@example("# mean\n|", "    x = 1")
def test_the_buffer_parses_with_whatever_is_offered(text: str, answer: str) -> None:
    context = context_of(text)
    for code in codes(text, context.forced + answer):
        before, _, after = (IMPORTS + text).partition("|")
        ast.parse(before + code + after)
