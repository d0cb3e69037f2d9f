"""From a context to candidates, in the three layouts, with models that recite."""

import threading
from dataclasses import replace

import pytest

from cert_lsp.contract.prompt import Layout, Role
from cert_lsp.engine.api_index import Versions
from cert_lsp.engine.context import Context, build_context
from cert_lsp.engine.knowledge import KNOWLEDGE
from cert_lsp.engine.pipeline import Engine
from cert_lsp.errors import BundleError, DecodeCancelled
from tests.cert_lsp.engine.fake import FakeRuntime, HashRuntime, ScriptRuntime, fake_engine

IMPORTS = "import pandas as pd\n\ndf = pd.read_csv('a.csv')\n\n"
COMMENT = "# average delay\n"


def context_of(text: str) -> Context:
    before, _, after = (IMPORTS + text).partition("|")
    context = build_context(before + after, len(before))
    assert context is not None
    return context


def joint(runtime: FakeRuntime, knows: frozenset[str] = KNOWLEDGE) -> Engine:
    return fake_engine(Layout.JOINT, {Role.JOINT: runtime}, knows)


def paper(sketcher: FakeRuntime, generator: FakeRuntime) -> Engine:
    return fake_engine(Layout.PAPER, {Role.SKETCHER: sketcher, Role.GENERATOR: generator})


def test_joint_writes_a_sketch_then_its_code_and_reads_the_prompt_once() -> None:
    runtime = ScriptRuntime(
        {COMMENT + "<sketch>": "x = df[$string].mean()", "x = df[$string].mean()<code>": "x = df['delay'].mean()"}
    )
    [candidate] = joint(runtime).complete(context_of(COMMENT + "|"))
    assert candidate.code == "x = df['delay'].mean()"
    assert candidate.sketch == "x = df[string].mean()"
    assert -0.1 < candidate.score < 0
    assert sum(size > 15 for size in runtime.calls) == 1


def test_a_sketch_without_placeholders_is_the_code() -> None:
    for engine in (
        joint(ScriptRuntime({"<sketch>": "x = df.mean()", "<code>": "wrong()"})),
        paper(ScriptRuntime({"<sketch>": "x = df.mean()"}), ScriptRuntime({"<code>": "wrong()"})),
    ):
        [candidate] = engine.complete(context_of(COMMENT + "|"))
        assert (candidate.code, candidate.sketch) == ("x = df.mean()", "x = df.mean()")


@pytest.mark.parametrize("sketch", ["x = df[$string]", ""])
def test_without_a_sketch_or_code_from_it_the_prompt_alone_decides(sketch: str) -> None:
    alone = {COMMENT + "<code>": "y = df.sum()"}
    for engine in (
        joint(ScriptRuntime({"<sketch>": sketch, f"{sketch}<code>": "", **alone})),
        paper(
            ScriptRuntime({"<sketch>": sketch}),
            ScriptRuntime({**alone, f"{sketch}\n# [segmentation]\n{IMPORTS}{COMMENT}<code>": ""}),
        ),
    ):
        [candidate] = engine.complete(context_of(COMMENT + "|"))
        assert (candidate.code, candidate.sketch) == ("y = df.sum()", "y = df.sum()")


def test_paper_gives_the_sketch_to_the_generator() -> None:
    sketch = "x = df.head($number)"
    generator = ScriptRuntime({f"{sketch}\n# [segmentation]\n{IMPORTS}{COMMENT}<code>": "x = df.head(3)"})
    [candidate] = paper(ScriptRuntime({"<sketch>": sketch}), generator).complete(context_of(COMMENT + "|"))
    assert (candidate.code, candidate.sketch) == ("x = df.head(3)", "x = df.head(number)")


def test_no_sketch_on_request_and_in_a_plain_bundle() -> None:
    [candidate] = joint(ScriptRuntime({COMMENT + "<code>": "x = df.head(3)"})).complete(
        context_of(COMMENT + "|"), mode="nosketch"
    )
    plain = fake_engine(Layout.PLAIN, {Role.PLAIN: ScriptRuntime({COMMENT: "x = df.head(3)\n\nmore()"})})
    for found in [candidate, *plain.complete(context_of(COMMENT + "|"))]:
        assert (found.code, found.sketch) == ("x = df.head(3)", "x = df.head(number)")


@pytest.mark.parametrize(
    ("text", "sketch", "answer", "code"),
    [
        ("# head\nx = df.he|", "head($number)", "head(3)", "ad(3)"),
        ("# head\nx = |", " df.head($number)\ny = 1", " df.head(3)\ny = 1", "df.head(3)"),
        ("# head|", "x = df.head($number)", "x = df.head(3)", "\nx = df.head(3)"),
        ("# head\nx = df.head(|)", "$number).sum()", "3).sum()", "3"),
        (
            'def f(df):\n    """Head."""|',
            "    x = df.head($number)\n\n    return x",
            "    x = df.head(3)\n\n    return x\n\nf(1)",
            "\n    x = df.head(3)\n\n    return x",
        ),
    ],
)
def test_the_insertion_fits_the_cursor(text: str, sketch: str, answer: str, code: str) -> None:
    engine = joint(ScriptRuntime({"<sketch>": sketch, "<code>": answer}))
    assert [candidate.code for candidate in engine.complete(context_of(text))] == [code]


def test_several_candidates_differ_where_the_sketch_was_least_sure() -> None:
    runtime = ScriptRuntime(
        {"<sketch>": "x = df.mean()", "df.sum($number)<code>": "x = df.sum(1)"},
        {"<sketch>": ["x = df.sum($number)", "y = df.a"]},
    )
    engine = joint(runtime)
    context = context_of(COMMENT + "|")
    found = engine.complete(context, candidates=3)
    assert [candidate.code for candidate in found] == ["x = df.mean()", "x = df.sum(1)", "y = df.a"]
    assert [candidate.score for candidate in found] == sorted((one.score for one in found), reverse=True)
    assert engine.complete(context) == found[:1]


def test_where_several_are_asked_for_one_is_written_without_a_sketch() -> None:
    script = {"<sketch>": "x = df.mean()", COMMENT + "<code>": "x = df.sum()"}
    unsure = ScriptRuntime(script, {"<sketch>": ["x = df.size", "x = df.a"]})
    context = context_of(COMMENT + "|")
    found = joint(unsure).complete(context, candidates=2)
    assert [(each.code, each.sketch) for each in found] == [("x = df.sum()",) * 2, ("x = df.mean()",) * 2]
    by_sketches = joint(unsure, KNOWLEDGE - {"both_ways"}).complete(context, candidates=2)
    assert [each.code for each in by_sketches] == ["x = df.mean()", "x = df.size"]
    assert [each.code for each in joint(unsure).complete(context)] == ["x = df.mean()"]


def near(text: str, sketch: str) -> Context:
    return replace(context_of(text), near=sketch)


def test_code_by_a_neighbours_sketch_goes_first_and_is_not_offered_twice() -> None:
    script = {"<sketch>": "x = df.mean()", "df.head($number)<code>": "df.head(2)"}
    context = near(COMMENT + "|", "df.head($number)")
    runtime = ScriptRuntime(script)
    [candidate] = joint(runtime).complete(context)
    assert (candidate.code, candidate.sketch) == ("df.head(2)", "df.head(number)")
    found = joint(ScriptRuntime(script)).complete(context, candidates=2)
    assert [each.code for each in found] == ["df.head(2)", "x = df.mean()"]
    same = near(COMMENT + "|", "x = df.mean()")
    found = joint(ScriptRuntime({**script, "x = df.mean()<code>": "x = df.mean()"})).complete(same, candidates=2)
    assert [each.code for each in found] == ["x = df.mean()"]
    [candidate] = joint(ScriptRuntime({**script, COMMENT + "<code>": "x = df.sum()"})).complete(
        context, mode="nosketch"
    )
    assert candidate.code == "x = df.sum()"


def test_a_neighbours_names_are_those_of_another_place() -> None:
    runtime = ScriptRuntime({"x = other.mean()<code>": "x = df.mean()"})
    [candidate] = joint(runtime).complete(near(COMMENT + "|", "x = other.mean()"))
    assert (candidate.code, candidate.sketch) == ("x = df.mean()", "x = other.mean()")


def test_what_a_neighbour_leads_to_must_be_fit_to_offer() -> None:
    for answer in ("x = = df", "x = df.isempty()", ""):
        runtime = ScriptRuntime({"<sketch>": "x = df.mean()", "x = df.a($number)<code>": answer})
        found = joint(runtime, frozenset({"api_order"})).complete(near(COMMENT + "|", "x = df.a($number)"))
        assert [candidate.code for candidate in found] == ["x = df.mean()"]


def test_an_alternative_stands_in_for_what_cannot_be_offered() -> None:
    runtime = ScriptRuntime({"<sketch>": "x = = df"}, {"<sketch>": ["x = df.mean()"]})
    assert [candidate.code for candidate in joint(runtime).complete(context_of(COMMENT + "|"))] == ["x = df.mean()"]


def test_an_alternative_goes_before_api_that_does_not_exist() -> None:
    runtime = ScriptRuntime({"<sketch>": "x = df.isempty()"}, {"<sketch>": ["x = df.size", "x = df.a"]})
    context = context_of(COMMENT + "|")
    engine = joint(runtime, frozenset({"api_order"}))
    [candidate] = engine.complete(context)
    assert (candidate.code, candidate.api_exists) == ("x = df.size", True)
    assert [found.code for found in engine.complete(context, candidates=2)] == ["x = df.size"]


def test_nothing_is_offered_rather_than_made_up_api() -> None:
    names = ("nothing", "sort_by", "made_up", "fake")
    runtime = ScriptRuntime({"<sketch>": "x = df.isempty()"}, {"<sketch>": [f"x = df.{name}()" for name in names]})
    assert joint(runtime, frozenset({"api_order"})).complete(context_of(COMMENT + "|")) == []
    assert [each.code for each in joint(runtime, frozenset()).complete(context_of(COMMENT + "|"))] == [
        "x = df.isempty()"
    ]


def test_made_up_api_is_not_written() -> None:
    made_up = ScriptRuntime({"<sketch>": "x = df.Kinds()"}, {"<sketch>": ["x = df.size"]})
    assert [each.code for each in joint(made_up).complete(context_of(COMMENT + "|"))] == ["x = df.size"]
    unjudged = joint(made_up, frozenset()).complete(context_of(COMMENT + "|"))
    assert [(each.code, each.api_exists) for each in unjudged] == [("x = df.Kinds()", True)]


def test_code_is_held_to_the_index_as_its_sketch_is() -> None:
    runtime = ScriptRuntime(
        {"<sketch>": "x = df.head($number)", "<code>": "x = df.Kinds(3)"}, {"<code>": ["x = df.head(3)"]}
    )
    [candidate] = joint(runtime).complete(context_of(COMMENT + "|"))
    assert candidate.code == "x = df.head(3)"


def test_removed_api_is_written_and_then_replaced() -> None:
    runtime = ScriptRuntime({"<sketch>": "x = df.append(df)"})
    old, new = (replace(context_of(COMMENT + "|"), versions=Versions(release)) for release in ("1.5", "3.0"))
    assert [each.code for each in joint(runtime).complete(old)] == ["x = df.append(df)"]
    [candidate] = joint(runtime).complete(new)
    assert (candidate.code, candidate.sketch) == ("x = pd.concat([df, df])", "x = pd.concat([df, df])")


def test_code_follows_from_a_sketch_that_was_changed() -> None:
    changed = "x = df[$string].median()"
    context = context_of(COMMENT + "|")
    script = {f"{changed}<code>": "x = df['delay'].median()", f"{COMMENT}<code>": "wrong()"}
    [candidate] = joint(ScriptRuntime(script)).complete_from(context, changed)
    assert candidate.code == "x = df['delay'].median()"
    assert (candidate.template, candidate.sketch) == (changed, "x = df[string].median()")
    generator = ScriptRuntime({f"{changed}\n# [segmentation]\n{IMPORTS}{COMMENT}<code>": "x = df['delay'].median()"})
    assert paper(ScriptRuntime({}), generator).complete_from(context, changed)[0].code == candidate.code


def test_sketch_without_placeholders_is_the_code_if_it_fits_what_is_typed() -> None:
    engine = joint(ScriptRuntime({"<code>": "wrong()"}))
    context = context_of("def f(df):\n    # average delay\n    return df.me|")
    assert [each.code for each in engine.complete_from(context, "mean(axis=1)\r\n")] == ["an(axis=1)"]
    assert engine.complete_from(context, "sum()") == []
    assert engine.complete_from(context, "me(") == []


def test_sketch_takes_the_indentation_of_its_place() -> None:
    sketch = "for i in df:\n    print($string)"
    code = "    for i in df:\n        print('a')"
    placed = "    for i in df:\n        print($string)"
    context = context_of("def f(df):\n    # show all\n    |")
    for engine in (
        joint(ScriptRuntime({f"{placed}<code>": code})),
        joint(ScriptRuntime({"<sketch>": placed, f"{placed}<code>": code})),
    ):
        [candidate] = engine.complete_from(context, sketch)
        assert candidate.code == code.lstrip()
        assert candidate.template == sketch


def test_untrained_model_knows_no_sketches() -> None:
    plain = fake_engine(Layout.PLAIN, {Role.PLAIN: ScriptRuntime({COMMENT: "x = df.head(3)\n"})})
    assert plain.complete_from(context_of(COMMENT + "|"), "x = df.head($number)") == []


def test_draws_are_repeatable_and_differ() -> None:
    engine = joint(HashRuntime(0, "df.x = \n"))
    context = context_of(COMMENT + "|")
    many = {candidate.code for seed in range(20) for candidate in engine.complete(context, temperature=0.8, seed=seed)}
    again = {candidate.code for seed in range(20) for candidate in engine.complete(context, temperature=0.8, seed=seed)}
    assert many == again


def test_what_broke_off_is_cut_to_whole_statements() -> None:
    engine = joint(ScriptRuntime({"<code>": "x = df.a\ny = df[" + "'abc', 'def', " * 20}))
    [candidate] = engine.complete(context_of(COMMENT + "|"), mode="nosketch", max_tokens=30)
    assert candidate.code == "x = df.a"


def test_a_long_text_loses_its_first_lines() -> None:
    engine = joint(ScriptRuntime({"# mean of it\nx =<sketch>": " df.mean()"}))
    [candidate] = engine.complete_text("import pandas as pd\n" * 500 + "# mean of it\nx = ")
    assert candidate.code == "df.mean()"
    engine = joint(ScriptRuntime({"xxx =<sketch>": " df.mean()"}))
    [candidate] = engine.complete_text("x" * 5900 + " = ")
    assert candidate.code == "df.mean()"


def test_cancellation_reaches_the_decoder() -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(DecodeCancelled):
        joint(HashRuntime(0)).complete(context_of(COMMENT + "|"), cancel=cancel)


def test_a_folder_without_a_model_is_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(BundleError):
        Engine.open(tmp_path)
