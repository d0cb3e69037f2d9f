"""The last answers as guesses: they save passes and never show."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cert_lsp.contract.prompt import Marker
from cert_lsp.engine.decode import Decoder
from cert_lsp.engine.draft import Step
from cert_lsp.engine.recall import Recall, seen_before
from cert_lsp.engine.vocabulary import Vocabulary
from cert_lsp.engine.writing import Task
from cert_lsp.errors import DecodeCancelled
from tests.cert_lsp.engine.fake import FakeRuntime, HashRuntime, ScriptRuntime, ids, tiny_encoder

CODE = "df = df.groupby('carrier')['delay'].mean()"


def decoder(runtime: FakeRuntime) -> Decoder:
    return Decoder(runtime, Vocabulary(tiny_encoder(), runtime.vocab_size))


def tokens(step: Step) -> list[int]:
    return [token for token, _ in step]


def task(prompt: list[int], ends: Marker = Marker.END) -> Task:
    return Task(prompt, "", frozenset({ends}), lambda _: None, 40)


def test_the_latest_answer_that_begins_alike_is_recalled() -> None:
    recall = Recall()
    recall.note([1, 2, 3, 4])
    recall.note([1, 2, 5])
    assert tokens(recall.after([1, 2])) == [5]
    assert tokens(recall.after([1, 2, 3])) == [4]
    assert tokens(recall.after([2])) == []


def test_an_answer_that_was_broken_off_does_not_hide_the_whole_one() -> None:
    recall = Recall()
    recall.note([1, 2, 3, 4])
    recall.note([1, 2])
    recall.note([])
    assert tokens(recall.after([1])) == [2, 3, 4]


def test_only_a_few_are_kept() -> None:
    recall = Recall()
    for first in range(10):
        recall.note([first, first])
    assert tokens(recall.after([0])) == []
    assert tokens(recall.after([9])) == [9]


def test_the_same_answer_behind_a_longer_prompt_takes_few_passes() -> None:
    runtime = ScriptRuntime({"# mean<code>": CODE, "# mean delay<code>": CODE})
    used = decoder(runtime)
    first = used.answer(task(ids("# mean<code>")), np.random.default_rng(0))
    passes = len(runtime.calls)
    second = used.answer(task(ids("# mean delay<code>")), np.random.default_rng(0))
    assert first.text == second.text == CODE
    assert len(runtime.calls) - passes < passes / 3


def test_an_answer_that_was_cancelled_is_gone_by_too() -> None:
    runtime = ScriptRuntime({"# mean<code>": CODE})
    used = decoder(runtime)
    cancel = threading.Event()
    whole = ids(CODE)

    class Ending:
        """Cancels behind the tenth token."""

        def __call__(self, text: str) -> None:
            if len(ids(text)) >= 10:
                cancel.set()

    with pytest.raises(DecodeCancelled):
        used.answer(
            Task(ids("# mean<code>"), "", frozenset({Marker.END}), Ending(), 40), np.random.default_rng(0), cancel
        )
    passes = len(runtime.calls)
    used.answer(task(ids("# mean<code>")), np.random.default_rng(0))
    assert len(runtime.calls) - passes < len(whole)


@given(st.lists(st.tuples(st.lists(st.integers(3, 300), min_size=1, max_size=20), st.booleans()), max_size=6))
def test_answers_do_not_depend_on_those_before(prompts: list[tuple[list[int], bool]]) -> None:
    used = decoder(HashRuntime(3, CODE))
    for prompt, ends in prompts:
        wanted = task(prompt, Marker.END if ends else Marker.CODE)
        got = used.answer(wanted, np.random.default_rng(0))
        assert got == decoder(HashRuntime(3, CODE)).answer(wanted, np.random.default_rng(0))


def test_the_longest_repetition_tells_what_follows() -> None:
    assert tokens([seen_before([7, 1, 2, 8, 1, 3, 7, 1])]) == [2]
    assert tokens([seen_before([7, 1, 2, 8, 1, 3, 9, 1])]) == [3]
    assert seen_before([7, 5]) is None
    assert seen_before([7]) is None


def test_a_longer_repetition_is_believed_more() -> None:
    sure = [seen_before([*range(9), 20, *range(10 - length, 9)])[1] for length in (2, 3, 4)]
    assert sure == sorted(sure)
    assert sure[0] < sure[-1] < 1


def test_what_the_prompt_says_is_written_in_fewer_passes() -> None:
    runtime = ScriptRuntime({"# again<code>": CODE})
    decoder(runtime).answer(task(ids(f"{CODE}\n# again<code>")), np.random.default_rng(0))
    assert len(runtime.calls) < len(ids(CODE))
