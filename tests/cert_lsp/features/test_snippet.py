"""Tab stops."""

import pytest

from cert_lsp.features.snippet import snippet_of


@pytest.mark.parametrize(
    ("begun", "code", "snippet"),
    [
        ("", "\ndf['a'].head(3)", "\ndf[${1:'a'}].head(${2:3})$0"),
        ("x = df.", "head(3)", "head(${1:3})$0"),
        ("", "    x = {'a}$': 1}", "    x = {${1:'a\\}\\$'}: ${2:1}\\}$0"),
        ("", "x = r'\\d'", "x = ${1:r'\\\\d'}$0"),
        ("", "df.sum()", "df.sum()$0"),
        ("", "x = {}  # why", "x = {\\}  # why"),
        ("", "x = (1", "x = (1"),
    ],
)
def test_details_become_tab_stops(begun: str, code: str, snippet: str) -> None:
    assert snippet_of(begun, code) == snippet
