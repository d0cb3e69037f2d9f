"""The measuring programs, each on a small case with the embedded model."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.bandwidth import measure_bandwidth
from benchmarks.draft import Draft, measure_draft
from benchmarks.editor import Editor
from benchmarks.engine import LLAMA_CPP, OURS, Comparison, Model, Speed, compare
from benchmarks.peers import Run
from benchmarks.recording import HERE, Recording, Step
from benchmarks.replay import Cold, Look, Replay, play_all
from benchmarks.report import Results, markdown, plot, put_into
from benchmarks.storm import STORMS, Storms, play_storms
from cert_lsp.contract.bundle import EMBEDDED
from cert_lsp.engine.context import build_context
from evals.suite import load_suites

EVALS = HERE.parent / "evals"
TEXT = 'import pandas as pd\n\nflights = pd.read_csv("a.csv")\n\n# average delay per carrie'


@pytest.fixture(scope="module")
def model() -> Model:
    return Model.open(EMBEDDED)


class HalfSpeed:
    """A peer whose every answer takes two seconds."""

    name = LLAMA_CPP
    version = "0"

    def run(self, prompt: object, tokens: int, *, warm: bool) -> Run:
        return Run(2.0, 1.0, 1.0)


def results(keys: Comparison) -> Results:
    looks = [Look("one", 100.0, True, False), Look("one", 1.0, True, True), Look("two", 300.0, True, False)]
    stamp = {
        **{key: "x" for key in ("date", "commit", "bundle", "bundle_sha256", "cpu", "system", "python")},
        **{
            "cores": 2,
            "threads": 2,
            "rounds": 1,
            "suites": ["s"],
            "versions": {"numpy": "2"},
            "load_before": 2.0,
            "load_after": 1.0,
        },
    }
    return Results(
        stamp,
        [Cold(1500.0, 900.0, 300_000_000)],
        Replay(looks, 350_000_000, 12.0, 0.01),
        Storms([59, 57, 58], [120.0, 400.0, 90.0], [100.0, 200.0, 100.0]),
        keys,
        Draft(12, 10, 100, 40, 90, 10),
        20e9,
        150_000_000,
        {"onnxruntime-genai": "it is not installed"},
    )


COMPARISON = Comparison(
    [50, 60],
    [8, 9],
    {OURS: [0.3, 0.5], LLAMA_CPP: [0.4, 0.6]},
    {OURS: [0.1, 0.2], LLAMA_CPP: [0.2, 0.1]},
    {OURS: Speed(300.0, 60.0), LLAMA_CPP: Speed(200.0, 80.0)},
)


def test_replay_takes_the_time_of_each_look_and_leaves_the_document_as_typed() -> None:
    steps = (Step("type", "r", (50,)), Step("ask", "", (100,)), Step("accept", "", (50,)))
    with Editor() as editor:
        replay = play_all(editor, [Recording("short", TEXT, steps)], 0.5, lambda: None)
    [look] = replay.looks
    assert look.offered
    assert look.milliseconds > 0
    assert editor.ready_ms > 0
    assert replay.resident > 100_000_000


def test_storms_are_cancelled_but_for_their_last_requests() -> None:
    storms = play_storms(None, lambda: None)
    assert len(storms.cancelled) == len(storms.own_ms) == STORMS
    assert min(storms.cancelled) >= 55
    assert min(storms.last_ms + storms.own_ms) > 0
    assert storms.last_ratio < 3


def test_draft_saves_passes_and_changes_no_token(model: Model) -> None:
    suites = load_suites([EVALS / "everyday.jsonl", EVALS / "documentation.jsonl"])
    tasks = [task for suite in suites for task in suite.tasks[:: len(suite.tasks) // 4]]
    draft = measure_draft(model, tasks, 600, lambda: None)
    assert len(tasks) == draft.looked_at >= draft.tasks
    assert draft.tasks == draft.equal > 4
    assert draft.ratio > 1.5
    assert draft.accepted == pytest.approx(draft.ratio - 1)
    assert 0 < draft.accepted_share < 1


def test_draft_ends_with_its_time(model: Model) -> None:
    tasks = load_suites([EVALS / "everyday.jsonl"])[0].tasks
    assert measure_draft(model, tasks, 0, lambda: None) == Draft(0, 0, 0, 0, 0, 0)


def test_engines_are_compared_on_the_same_prompts(model: Model) -> None:
    context = build_context(TEXT + "r", len(TEXT) + 1)
    assert context
    compared = compare(model, [HalfSpeed()], [context], 1, lambda: None)
    assert compared.cold[LLAMA_CPP] == [2.0]
    assert compared.ratio(compared.cold) == pytest.approx(compared.cold[OURS][0] / 2)
    assert compared.speeds[LLAMA_CPP].prefill == pytest.approx(compared.prompts[0])
    assert compared.warm[OURS][0] > 0


def test_memory_has_a_speed() -> None:
    assert 1e8 < measure_bandwidth(1) < 1e13


def test_promised_keys_are_there_and_typed_through_answers_left_out() -> None:
    figures = results(COMPARISON).as_json()
    promised = (
        "warm_p50_ms warm_p95_ms cold_p95_ms ready_ms rss_mb idle_core_share ratio_to_llamacpp warm_ratio_to_llamacpp "
        "bandwidth_share prefill_ratio_to_llamacpp draft_pass_ratio storm_cancelled storm_last_ratio"
    )
    assert set(promised.split()) <= set(figures)
    assert figures["warm_p50_ms"] == 200.0
    assert figures["ratio_to_llamacpp"] == 0.8
    assert figures["prefill_ratio_to_llamacpp"] == 1.5
    assert figures["draft_pass_ratio"] == 2.5
    assert figures["bandwidth_share"] == 0.45
    assert figures["storm_cancelled"] == 57
    assert figures["storm_last_ratio"] == 1.2
    assert figures["draft"]["looked_at"] == 12


def test_without_llama_cpp_its_figures_are_none() -> None:
    alone = Comparison([50], [8], {OURS: [0.3]}, {OURS: [0.1]}, {OURS: Speed(300.0, 60.0)})
    figures = results(alone).as_json()
    assert figures["ratio_to_llamacpp"] is None
    assert "not measured" in markdown(results(alone))


def test_report_is_put_between_the_marks(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("# Speed\n<!-- results -->\nstale figures\n<!-- end of results -->\nend\n")
    for _ in range(2):
        put_into(readme, markdown(results(COMPARISON)))
    text = readme.read_text()
    assert text.startswith("# Speed\n<!-- results -->\n| ratio |")
    assert text.endswith("<!-- end of results -->\nend\n")
    assert "stale" not in text
    assert "Other programs were running" in text
    plot(results(COMPARISON), tmp_path / "plot.svg")
    assert (tmp_path / "plot.svg").read_text().startswith("<?xml")


def test_a_missing_bundle_is_one_message(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks", "--quick", "--bundle", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr.startswith("error: ")
