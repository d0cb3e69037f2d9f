"""Names that do not exist: by execution and by stubs, without blaming what does."""

import sys
from pathlib import Path

import pytest

from evals.existence import fails_for_missing_api, faulted_by_stubs, stubs_version
from evals.sandbox import Outcome, Sandbox

HEAD = "import numpy as np\nimport pandas as pd\n\ndf = pd.DataFrame({'a': [1, 2]})\nx = np.arange(3)\n\nresult = "
MISSING = ["df.groupy('a')", "pd.read_frame('x')", "df.sort_values('a', descending=True)", "np.meann(x)", "x.summ()"]
PRESENT = ["df.groupby('a').sum()", "df['b']", "'abc'.foo()", "df.sort_values('b')", "np.mean(x, 5)", "y.sum()"]


def test_execution_blames_missing_names_alone():
    codes = (*MISSING, *PRESENT)
    with Sandbox(Path(sys.executable)) as sandbox:
        ran = sandbox.run(HEAD + code for code in codes)
        blamed = [fails_for_missing_api(one, code) for one, code in zip(ran, codes, strict=True)]
    assert blamed == [True] * len(MISSING) + [False] * len(PRESENT)


def test_a_pass_blames_nothing():
    assert not fails_for_missing_api(Outcome(True, "passed", ""), "x.foo()")
    assert not fails_for_missing_api(Outcome(False, "AttributeError", "'Foo' object has no attribute 'bar'"), "foo.bar")


def test_a_name_that_the_file_itself_wrote_is_not_the_completions():
    outcome = Outcome(False, "AttributeError", "'numpy.ndarray' object has no attribute 'identity'")
    assert fails_for_missing_api(outcome, "a.identity")
    assert not fails_for_missing_api(outcome, "reduced_by(a, b)")


def test_stubs_blame_the_same_names_without_running():
    if not stubs_version():
        pytest.skip("pandas-stubs is not installed")
    programs = {code: (HEAD, code) for code in (*MISSING, *PRESENT)}
    programs["above the cursor"] = (HEAD.replace("result", "df.groupy\nresult"), "df.size")
    assert faulted_by_stubs(programs) == set(MISSING)
