"""Which comments ask for code."""

import pytest

from cert_lsp.engine.intent import from_comments, from_docstring


@pytest.mark.parametrize(
    "comment",
    [
        "average delay per carrier",
        "transpose",
        "set column b = a * 2",
        "x = mean of y over all rows",
        "for each group, sum the sales",
        "if a value is missing, fill it with 0",
        "return the maximum of a[i]",
        "print(df) without its index",
        "use np.where(cond, a, b) to choose",
        "TODO: compute the mean",
        "license plates per state",
        "region sales in the north",
        "von der Spalte a den größten Wert",
        "各航空公司的平均延误",
    ],
)
def test_intents(comment: str) -> None:
    assert from_comments([f"# {comment}"]) == comment


@pytest.mark.parametrize(
    "comment",
    [
        "noqa: E501",
        "pragma: no cover",
        "type: ignore[arg-type]",
        "!/usr/bin/env python",
        "-*- coding: utf-8 -*-",
        "fmt: off",
        "%matplotlib inline",
        "In[3]:",
        "-----",
        "==== ====",
        "ab",
        "",
        "region",
        "Copyright 2020 Somebody",
        "SPDX-License-Identifier: MIT",
        "x = 1",
        "a, b = f(x)",
        "df['a'] += df['b'] * 2",
        "df.plot(kind='bar')",
        "import numpy",
        "from x import y",
        "for i in range(3):",
        "else:",
        "return x[0]",
        "assert x == 1",
        "@property",
        "})",
        ">>> df.head()",
    ],
)
def test_no_intents(comment: str) -> None:
    assert from_comments([f"# {comment}"]) == ""


def test_a_block_says_what_its_prose_says() -> None:
    assert (
        from_comments(["# ---- Load data ----", "#: all of it", "# df = load()", "#", "# noqa"])
        == "Load data all of it"
    )


def test_docstrings() -> None:
    assert from_docstring('    r"""Return the mean.\n\n    Of all.\n    """') == "Return the mean. Of all."
    assert from_docstring("''") == ""
