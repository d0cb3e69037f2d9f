"""Generation: what is asked of the engine, what is written, and how a second run goes on."""

import json
from dataclasses import dataclass, field, replace

import pytest

from cert_lsp.errors import EvalError
from evals.generate import Decoding, generate, read_samples, seed_of
from evals.suite import Suite, Task

SUITE = Suite("Toy", "hash", (Task("Toy/0", "x = ", "none", (), ""), Task("Toy/1", "y = ", "none", (), "")))
GREEDY = Decoding("sketch")


@dataclass
class Manifest:
    name: str = "fake"


@dataclass
class Candidate:
    code: str
    sketch: str


@dataclass
class FakeEngine:
    """Completes with the seed it was given, and fails after `patience` calls as a full disk or a Ctrl-C would."""

    manifest: Manifest = field(default_factory=Manifest)
    patience: int = 100
    calls: list = field(default_factory=list)

    def complete_text(self, before, **options):
        if len(self.calls) == self.patience:
            raise KeyboardInterrupt
        self.calls.append((before, options))
        return [Candidate(f"{options['seed']}\nif more", "number"), Candidate("worse", "")]


def test_the_best_candidate_is_written_uncut_with_its_sketch(tmp_path):
    engine = FakeEngine()
    generate(engine, [SUITE], GREEDY, 1, tmp_path / "new" / "out")
    lines = [json.loads(line) for line in (tmp_path / "new" / "out" / "samples.jsonl").read_text().splitlines()]
    assert [(line["task_id"], line["sample"], line["sketch"]) for line in lines] == [
        ("Toy/0", 0, "number"),
        ("Toy/1", 0, "number"),
    ]
    assert lines[0]["completion"] == f"{seed_of('Toy/0', 0)}\nif more"
    before, options = engine.calls[0]
    assert before == "x = "
    assert (options["mode"], options["temperature"], options["candidates"]) == ("sketch", 0.0, 1)


def test_an_engine_that_offers_nothing_gives_an_empty_completion(tmp_path):
    engine = FakeEngine()
    engine.complete_text = lambda before, **options: []
    generate(engine, [SUITE], GREEDY, 1, tmp_path)
    assert [one.completion for one in read_samples(tmp_path / "samples.jsonl")] == ["", ""]


def test_no_two_samples_share_a_seed_and_seeds_stay_the_same():
    seeds = {seed_of(f"Toy/{task}", sample) for task in range(100) for sample in range(200)}
    assert len(seeds) > 19_990  # 32 bits: a rare clash is chance
    assert seed_of("Toy/0", 0) == 0x10740C58


def test_an_interrupted_run_goes_on_and_ends_as_an_uninterrupted_one(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        generate(FakeEngine(patience=3), [SUITE], GREEDY, 2, tmp_path / "a")
    with (tmp_path / "a" / "samples.jsonl").open("a") as file:
        file.write('{"task_id": "Toy/1", "sam')  # killed while writing
    second = FakeEngine()
    generate(second, [SUITE], GREEDY, 2, tmp_path / "a")
    assert len(second.calls) == 1
    generate(FakeEngine(), [SUITE], GREEDY, 2, tmp_path / "b")
    one, other = (
        [replace(each, milliseconds=0) for each in read_samples(tmp_path / name / "samples.jsonl")] for name in "ab"
    )
    assert one == other


def test_more_samples_add_to_those_there(tmp_path):
    generate(FakeEngine(), [SUITE], GREEDY, 1, tmp_path)
    more = FakeEngine()
    generate(more, [SUITE], GREEDY, 3, tmp_path)
    assert len(more.calls) == 4
    assert {(one.task_id, one.sample) for one in read_samples(tmp_path / "samples.jsonl")} == {
        (task, n) for task in ("Toy/0", "Toy/1") for n in range(3)
    }


@pytest.mark.parametrize(
    ("engine", "suite", "decoding", "told"),
    [
        (FakeEngine(Manifest("other")), SUITE, GREEDY, "bundle"),
        (FakeEngine(), Suite("Toy", "changed", SUITE.tasks), GREEDY, "suites"),
        (FakeEngine(), SUITE, Decoding("nosketch"), "decoding"),
    ],
)
def test_samples_of_other_settings_are_not_mixed_in(tmp_path, engine, suite, decoding, told):
    generate(FakeEngine(), [SUITE], GREEDY, 1, tmp_path)
    before = (tmp_path / "samples.jsonl").read_text()
    with pytest.raises(EvalError, match=f"another {told}"):
        generate(engine, [suite], decoding, 1, tmp_path)
    assert (tmp_path / "samples.jsonl").read_text() == before


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EvalError, match="cannot be written"):
        generate(FakeEngine(), [SUITE], GREEDY, 1, tmp_path / "file" / "out")


def test_samples_of_other_tools_need_only_two_fields(tmp_path):
    path = tmp_path / "samples.jsonl"
    path.write_text('{"task_id": "Toy/0", "completion": "1"}\n\n{"task_id": "Toy/0", "completion": "2"}\n')
    assert [one.completion for one in read_samples(path)] == ["1", "2"]


@pytest.mark.parametrize("line", ["{", "3", '{"task_id": "a"}', '{"task_id": "a", "completion": null}'])
def test_a_line_that_is_no_sample_is_told_with_its_number(tmp_path, line):
    path = tmp_path / "samples.jsonl"
    path.write_text('{"task_id": "Toy/0", "completion": "1"}\n' + line + "\n")
    with pytest.raises(EvalError, match="line 2"):
        list(read_samples(path))
