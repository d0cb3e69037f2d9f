"""Where something is offered, and what the model then reads."""

import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cert_lsp.engine.context import Context, build_context, whole_context
from cert_lsp.engine.head import TARGET

IMPORTS = "import pandas as pd\nimport numpy as np\nimport os\n\ndf = pd.read_csv('a.csv')\n"


def at_bar(text: str) -> Context | None:
    """Build the context at the bar in `text`."""
    before, bar, after = text.partition("|")
    assert bar
    return build_context(before + after, len(before))


def offered(text: str) -> Context:
    context = at_bar(text)
    assert context is not None
    return context


@pytest.mark.parametrize(
    ("text", "intent", "forced", "lead", "block"),
    [
        ("# average delay\n|", "average delay", "", "", False),
        ("# average delay|", "average delay", "", "\n", False),
        ("# average delay\n\n|", "average delay", "", "", False),
        ("# average delay\n# per carrier\n|", "average delay per carrier", "", "", False),
        ("# average delay  # noqa is no intent\nx = |", "average delay  # noqa is no intent", " ", "", False),
        ("# average delay\nx = df.gro|", "average delay", "gro", "", False),
        ("# average delay\nx =|", "average delay", "", "", False),
        ("# average delay\nx = df.groupby(|)", "average delay", "", "", False),
        ("# average delay\nx = (\n    df.|\n)", "average delay", "", "", False),
        ("# load and average\ny = df.a\nx = |", "load and average", " ", "", False),
        ("# print every column\nfor c in df:\n    |", "print every column", "    ", "", True),
        ("# print every column\nfor c in df:\n|", "print every column", "    ", "", True),
        ("# print every column\nfor c in |", "print every column", " ", "", False),
        ('def f(df):\n    """Return the mean."""\n    |', "Return the mean.", "    ", "", True),
        ('def f(df):\n    """Return the mean."""\n|', "Return the mean.", "    ", "", True),
        ('def f(df):\n    """Return the mean."""|', "Return the mean.", "    ", "\n", True),
        ('def f(df):\n    """Return the mean."""\n    return |', "Return the mean.", " ", "", False),
        ("def f(df):\n    # the mean\n    |", "the mean", "    ", "", False),
        ("# der Mittelwert über alles\n|", "der Mittelwert über alles", "", "", False),
        ("x = foo((1,\n# sum of it\n|", "sum of it", "", "", False),
        ("def f(:\n  x ==== 1\n# sum of it\n|", "sum of it", "", "", False),
        ("# average delay\n|\ny = 1\n", "average delay", "", "", False),
    ],
)
def test_offers(text: str, intent: str, forced: str, lead: str, block: bool) -> None:
    context = offered(IMPORTS + text)
    assert (context.intent, context.forced, context.lead, context.block) == (intent, forced, lead, block)


@pytest.mark.parametrize(
    "text",
    [
        "|",
        "x = |",
        "x = 1\n|",
        "# noqa\n|",
        "# type: ignore\n|",
        "# -----\n|",
        "# df = df.dropna()\n|",
        "# print(df.head())\n|",
        "# for x in df:\n|",
        "# import os as system\n|",
        "# Copyright 2020 Somebody\n|",
        "# average| delay\n",
        "# average delay\n\n\n|",
        "# average delay\nx = 1\n|",
        "# average delay\nx = 'abc|",
        '# average delay\nx = """abc\n|',
        "# average delay\nx = df.mean()|",
        "# average delay\nx = 12|",
        "# average delay\nfor c in df:|",
        "# average delay\nx = df.gr|oup",
        "# average delay\nx = df.| + 1",
        "# average delay\n|x = 1",
        "x = 1  # average delay|",
        'x = """Return the mean."""\n|',
        'class A:\n    """Holds the mean."""\n    |',
        "def f(df):\n    |",
    ],
)
def test_offers_nothing(text: str) -> None:
    assert at_bar(IMPORTS + text) is None


@pytest.mark.parametrize(
    ("imports", "expected"),
    [
        ("", False),
        ("import os, sys\n", False),
        ("# import pandas\n", False),
        ("import pandastic\n", False),
        ("import os, numpy as np\n", True),
        ("from pandas import (\n    DataFrame,\n)\n", True),
        ("import seaborn as sns\n", True),
        ("try:\n    import pandas as pd\nexcept ImportError:\n    pass\n", True),
    ],
)
def test_needs_a_data_library(imports: str, expected: bool) -> None:
    assert (at_bar(imports + "# average delay\n|") is not None) is expected


def test_head_holds_imports_bindings_and_intent_but_no_bystanders() -> None:
    context = offered(
        "import pandas as pd\nfrom math import (\n    pi,\n    tau,\n)\nimport json\n\n"
        "flights = pd.read_csv('flights.csv')\n" + "unrelated = 1\nother = unrelated + 2\n" * 40 + "\n"
        "# flights scaled by pi\nx = flights|"
    )
    assert context.head.startswith("import pandas as pd\nfrom math import pi\n\nflights = pd.read_csv('flights.csv')\n")
    assert context.head.endswith("\n\n# flights scaled by pi\nx =")
    assert context.forced == " flights"
    assert "json" not in context.head
    assert len(context.head) < TARGET


def test_head_of_a_function_has_its_signature_but_no_other_functions_body() -> None:
    context = offered(
        IMPORTS + "def g(x):\n    return secret(x)\n\ndef f(df,\n      n):\n    y = df.a\n    # the n largest\n    |"
    )
    assert context.head.endswith("\n\ndef f(df,\n      n):\n    y = df.a\n    # the n largest\n")
    assert "secret" not in context.head


def test_names_of_other_functions_are_not_known() -> None:
    other = "def load(path):\n    table = pd.read_csv(path)\n    return table\n\n"
    own = "def f(table):\n    # the rows of table by name\n    |"
    assert "read_csv" not in offered(IMPORTS + "x = 1\n" * 20 + other + own).head
    main = "table = pd.read_excel('a.xls')\nif __name__ == '__main__':\n    # the rows of table by name\n    |"
    context = offered(IMPORTS + other + "x = 1\n" * 20 + main)
    assert "read_csv" not in context.head
    assert "read_excel" in context.head


def test_names_of_the_functions_around_and_attributes_of_the_object_are_known() -> None:
    class_ = (
        "class Report:\n    def __init__(self, path):\n        rows = 7\n        self.frame = pd.read_csv(path)\n\n"
    )
    context = offered(IMPORTS + class_ + "    def best(self, rows):\n        # the largest rows of frame\n        |")
    assert "self.frame = pd.read_csv(path)" in context.head
    assert "rows = 7" not in context.head
    outer = "def f():\n    table = pd.read_csv('a.csv')\n" + "    x = 1\n" * 20
    assert "read_csv" in offered(IMPORTS + outer + "    def g():\n        # the rows of table\n        |").head


def test_line_ends_are_the_buffers() -> None:
    text = (IMPORTS + "# average delay\r\n").replace("\n", "\r\n").replace("\r\r", "\r")
    context = build_context(text, len(text))
    assert context is not None
    assert "\r" not in context.head
    assert context.insertion("a = 1\nb = 2") == "a = 1\r\nb = 2"
    between = build_context(text, len(text) - 1)  # between \r and \n: the comment's end
    assert between is not None
    assert between.insertion("a = 1") == "\r\na = 1"


def test_a_byte_order_mark_changes_nothing() -> None:
    text = f"{IMPORTS}# average delay\n|\ny = 1\n"
    assert at_bar(f"\ufeff{text}") == offered(text)


def test_insertion_leaves_out_what_is_typed() -> None:
    assert offered(IMPORTS + "# average\nx = df.gro|").insertion("groupby('a')") == "upby('a')"
    assert offered(IMPORTS + "def f():\n    # average\n|").insertion("    x = 1") == "    x = 1"
    assert offered(IMPORTS + "# average  |").head.endswith("# average\n")
    assert offered(IMPORTS + "def f():\n    # average|").insertion("    x = 1") == "\n    x = 1"


def test_lone_surrogates_are_replaced() -> None:
    context = offered(IMPORTS + "# average \ud800 delay\nx = |")
    context.head.encode()
    assert "\ufffd" in context.head


def test_a_docstring_that_began_above_the_neighbourhood_is_no_code() -> None:
    filler = "words in a long docstring, # average delay\n" * 2000
    text = IMPORTS + '"""' + filler
    assert build_context(text, len(text)) is None
    text += '"""\n# average delay\n'
    assert build_context(text, len(text)) is not None


def test_a_hundred_thousand_lines_are_no_slower_than_a_thousand() -> None:
    def best(lines: int) -> float:
        text = IMPORTS + "x = df.groupby('a')['b'].mean()  # comment\n" * lines + "# average delay\nx = "
        times: list[float] = []
        for _ in range(3):
            begin = time.process_time()
            assert build_context(text, len(text)) is not None
            times.append(time.process_time() - begin)
        return min(times)

    assert best(100_000) < 10 * best(1_000) + 0.05


def test_whole_context_takes_everything() -> None:
    context = whole_context("anything\n# mean of a\nx = a.me")
    assert (context.head, context.forced, context.statement) == ("anything\n# mean of a\nx = a.", "me", "x = a.")
    body = whole_context('def f(df):\n    """Mean."""\n')
    assert body.block
    assert body.insertion(body.forced + "x") == "    x"
    assert whole_context("# mean of a\na = [1]\nx =").intent == "mean of a"


@pytest.mark.parametrize(
    ("before", "indent"),
    [
        ("def f(df):\n    df = df.dropna()\n", "    "),
        ("def f(df):\n", "    "),
        ("def f(df):\n    if df:\n", " " * 8),
        ("def f(df):\n\tdf = df.dropna()\n", "\t"),
        ("def f(df):\n    return df\n", ""),
        ("def f(df):\n    df = df.dropna()\n\n", ""),
    ],
)
def test_whole_context_goes_on_in_the_block_of_the_line_above(before: str, indent: str) -> None:
    assert whole_context(before).forced == indent


_CODE = "def f(x):|for x in df:|return |x = |df.mean|import pandas as pd\n|class A:| average of it"
_PIECES = st.sampled_from([*"#\n\r\t\"'\\()[]{:\ud800é\0", "\r\n", "    ", '"' * 3, "'" * 3, *_CODE.split("|")])


@given(st.one_of(st.text(), st.lists(_PIECES).map("".join)), st.integers(-3, 400))
@example("import pandas as pd\n# average\n\\", 40)
def test_random_text_is_no_trouble(text: str, offset: int) -> None:
    text = "import pandas as pd\n" + text
    context = build_context(text, offset)
    if context is not None:
        context.head.encode()
        assert context.forced.startswith(context.typed)
        assert context.line_prefix.endswith(context.typed)
    everything = whole_context(text)
    readable = re.sub("[\ud800-\udfff]", "\ufffd", re.sub(r"\r\n?", "\n", text))
    assert everything.head + everything.typed == readable


@pytest.mark.parametrize(
    ("nearby", "read"),
    [
        ("arr = np.arange(3)", ["import numpy as np"]),
        ("df = pd.read_csv('a.csv')", ["import pandas as pd"]),
        ("rows = load()", ["import numpy as np", "import pandas as pd"]),
        ("df = load()", ["import pandas as pd"]),
        ("# of the array", ["import numpy as np"]),
        ("# of the array\ndf = load()", ["import numpy as np", "import pandas as pd"]),
    ],
)
def test_of_pandas_and_numpy_the_one_used_nearby_is_read(nearby: str, read: list[str]) -> None:
    text = f"import os\nimport numpy as np\nimport pandas as pd\n\n{nearby}\n# the largest first\n"
    context = build_context(text, len(text))
    assert context
    assert [line for line in context.head.split("\n") if line.startswith("import")] == read


def test_the_only_library_is_read_whatever_the_intent_speaks_of() -> None:
    assert offered("import pandas as pd\n\n# the largest of the array\n|").head.startswith("import pandas as pd\n")
