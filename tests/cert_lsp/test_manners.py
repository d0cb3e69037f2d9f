"""Answers fitted to the buffer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cert_lsp.manners import Style, end_of_statement, in_style, style_of

TEXT = st.text(st.sampled_from("ab \n\t'\"\\#(:f="), max_size=30)


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("", Style(None, None)),
        ("a = 'x'", Style("'", None)),
        ('a = "x"\nb = f"y"\n', Style('"', None)),
        ("a = 'x' + \"y\"", Style(None, None)),
        ('"""it\'s"""\na = \'x\'  # "no"', Style("'", None)),
        ("if x:\n\ty = 1\n", Style(None, "\t")),
        ("if x:\n  y = 1\n  if z:\n    u = 1\n", Style(None, "  ")),
        ("f(1,\n         2)\nif x:\n    y", Style(None, "    ")),
    ],
)
def test_habits_of_a_buffer(text: str, style: Style) -> None:
    assert style_of(text) == style


@pytest.mark.parametrize(
    ("begun", "code", "fitted"),
    [
        ("", "df['a']", 'df["a"]'),
        ("", "df['a'] + \"b\" + 'it\"s'", 'df["a"] + "b" + \'it"s\''),
        ("", "r'\\d' + '''x''' + f'{a}' + f'a' + b'c'", "r'\\d' + '''x''' + f'{a}' + f\"a\" + b\"c\""),
        ("", "x = 1  # it's 'so'", "x = 1  # it's 'so'"),
        ("x = df['a'] + ", "df['b']", 'df["b"]'),
        (
            "",
            "\nfor a in b:\n    f(a,\n      c)\n    if a:\n        d()",
            "\nfor a in b:\n\tf(a,\n      c)\n\tif a:\n\t\td()",
        ),
        ("", "\n\tfor a in b:\n\t    d()", "\n\tfor a in b:\n\t\td()"),
        ("    ", "for a in b:\n      d()\n    c()", "for a in b:\n    \td()\n    c()"),
        ("", "\n\tfor a in b:\n\t\td()", "\n\tfor a in b:\n\t\td()"),
        ("", "if a:\n   b\nif c:\n  d", "if a:\n   b\nif c:\n  d"),
        ("x = ", "f('''\n    a\n''')", "f('''\n    a\n''')"),
    ],
)
def test_answer_is_written_as_the_buffer_is(begun: str, code: str, fitted: str) -> None:
    assert in_style(Style('"', "\t"), begun, code) == fitted


@given(TEXT, TEXT, TEXT)
def test_nothing_but_quotes_and_indentation_changes(text: str, begun: str, code: str) -> None:
    fitted = in_style(style_of(text), begun, code)
    assert [each.lstrip() for each in fitted.replace('"', "'").split("\n")] == [
        each.lstrip() for each in code.replace('"', "'").split("\n")
    ]
    assert in_style(Style(None, None), begun, code) == code


@pytest.mark.parametrize(
    ("begun", "code", "first"),
    [
        ("", "x = 1", "x = 1"),
        ("", "\nx = 1\ny = 2", "\nx = 1"),
        ("", "\n    for a in b:\n        c()\n    d()", "\n    for a in b:\n        c()"),
        ("", "\nx = f(\n  1\n)\ny", "\nx = f(\n  1\n)"),
        ("x = df.", "head()\nprint(x)", "head()"),
        ("", "# note\nx = 1\ny = 2", "# note\nx = 1"),
        ("", "if a:\n    b\nelse:\n    c\nd", "if a:\n    b\nelse:\n    c"),
    ],
)
def test_first_statement(begun: str, code: str, first: str) -> None:
    assert code[: end_of_statement(begun, code)] == first


def test_statement_after_statement() -> None:
    code = "\n    x = 1\n    y = 2\n    return y"
    ends = [end_of_statement("", code, typed) for typed in range(len(code))]
    assert [code[:end] for end in sorted(set(ends))] == ["\n    x = 1", "\n    x = 1\n    y = 2", code]
    assert all(end > typed for typed, end in enumerate(ends))
