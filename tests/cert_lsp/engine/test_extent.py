"""Where answers end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cert_lsp.engine.extent import Extent, end_of_answer, last_whole_line

LOOP = "for c in df:\n    print(c)\n\n    x = 1\n"


@pytest.mark.parametrize(
    ("extent", "answer", "rest"),
    [
        (Extent.STATEMENT, "x = df.mean()", "\n"),
        (Extent.STATEMENT, "x = df.mean()", "\ny = 1"),
        (Extent.STATEMENT, "x = df.groupby(\n    'a'\n).mean()", "\n"),
        (Extent.STATEMENT, "x = '''\n\n'''", "\n"),
        (Extent.STATEMENT, "x = df.a \\\n    + 1", "\n"),
        (Extent.STATEMENT, "for c in df:\n    print(c)\n\n    x = 1", "\ny"),
        (Extent.STATEMENT, "if a:\n    x = 1\nelse:\n    x = 2", "\ny"),
        (Extent.STATEMENT, "    return x", "\n"),
        (Extent.PARAGRAPH, "x = 1\ny = 2", "\n\n"),
        (Extent.PARAGRAPH, "x = 1\ny = 2", "\n# next"),
        (Extent.PARAGRAPH, "x = 1", "\ndef f"),
        (Extent.PARAGRAPH, "# of x\nx = 1", "\n# next"),
        (Extent.PARAGRAPH, "    x = 1\n    y = 2", "\nz"),
        (Extent.PARAGRAPH, "for c in df:\n    print(c)\n\n    x = 1", "\n\ny"),
        (Extent.BLOCK, "    x = 1\n\n    # so\n    y = 2", "\nz"),
        (Extent.BLOCK, "    if x:\n        return 1\n    return 2", "\n    y"),
    ],
)
def test_ends(extent: Extent, answer: str, rest: str) -> None:
    assert end_of_answer(answer + rest, extent) == len(answer)
    for length in range(len(answer) + 1):
        assert end_of_answer(answer[:length], extent) is None


@pytest.mark.parametrize(
    ("extent", "answer"),
    [
        (Extent.STATEMENT, "if a:\n    x = 1\nel"),
        (Extent.STATEMENT, "x = (1,\n\n"),
        (Extent.PARAGRAPH, "x = 1\n"),
        (Extent.PARAGRAPH, "\n\n"),
        (Extent.BLOCK, "    x = 1\n\n\n"),
        (Extent.BLOCK, "    if x:\n        return 1\n    el"),
    ],
)
def test_goes_on(extent: Extent, answer: str) -> None:
    assert end_of_answer(answer, extent) is None


def test_last_whole_line_leaves_out_what_broke_off() -> None:
    assert last_whole_line("x = 1\ny = df.") == len("x = 1")
    assert last_whole_line("x = 1\nfor c in df:\n  ") == len("x = 1")
    assert last_whole_line("x = (1,\n 2,") == 0


@given(st.text(alphabet="ax=:#('\n \"", max_size=30), st.sampled_from(Extent))
def test_an_end_lies_in_the_text_and_stays_where_it_is(text: str, extent: Extent) -> None:
    end = end_of_answer(text, extent)
    if end is not None:
        assert 0 <= end < len(text)
        assert end_of_answer(text + "\nmore = 1\n", extent) == end
