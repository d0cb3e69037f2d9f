"""Several prompts are held at once, within a ceiling."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cert_lsp.engine import prefixes
from cert_lsp.engine.decode import Decoder
from cert_lsp.engine.prefixes import Prefixes
from cert_lsp.engine.vocabulary import Vocabulary
from tests.cert_lsp.engine.fake import HashRuntime, tiny_encoder

HERE, THERE = list(range(10, 60)), list(range(60, 100))


def reader(runtime: HashRuntime) -> Decoder:
    return Decoder(runtime, Vocabulary(tiny_encoder(), runtime.vocab_size))


def test_an_edit_invalidates_from_its_token_on() -> None:
    runtime = HashRuntime(0)
    decoder = reader(runtime)
    decoder.read(HERE)
    decoder.read([*HERE[:40], 200, *HERE[41:]])
    assert runtime.calls == [50, 10]


def test_a_jump_back_finds_the_earlier_prompt() -> None:
    runtime = HashRuntime(0)
    decoder = reader(runtime)
    for prompt in (HERE, THERE, [*HERE, 200], [*THERE, 201]):
        decoder.read(prompt)
    assert runtime.calls == [50, 40, 1, 1]


def test_the_prompt_used_least_lately_is_let_go_at_the_ceiling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefixes, "CEILING", 120)
    runtime = HashRuntime(0)
    decoder = reader(runtime)
    for prompt in (HERE, THERE, HERE, list(range(100, 130)), [*HERE, 200], [*THERE, 201]):
        decoder.read(prompt)
    assert runtime.calls == [50, 40, 1, 30, 1, 41]


def test_the_memory_of_the_oldest_is_used_again_if_it_is_not_much_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefixes, "CEILING", 95)
    shelf = Prefixes(HashRuntime(0))
    caches = []
    for prompt in (HERE, THERE, list(range(100, 140)), list(range(140, 150)), list(range(150, 210))):
        held = shelf.turn_to(prompt)
        held.note(prompt[len(held.tokens) :])
        caches.append(held.cache)
    first, second, third, fourth, fifth = map(id, caches)
    assert first == third == fifth  # 40 tokens in the memory of 50, and 60 in that
    assert len({first, second, fourth}) == 3  # 10 in that of 40 would be a waste
    assert [len(held.tokens) for held in shelf.all] == [10, 60]


@given(st.lists(st.lists(st.integers(3, 6), min_size=1, max_size=12), max_size=12))
def test_what_is_held_stays_below_the_ceiling_and_is_what_the_caches_hold(prompts: list[list[int]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prefixes, "CEILING", 30)
        runtime = HashRuntime(0)
        shelf = Prefixes(runtime)
        for prompt in prompts:
            held = shelf.turn_to(prompt)
            assert held.tokens == prompt[: len(held.tokens)]
            added = prompt[len(held.tokens) :]
            runtime.forward(held.cache, added)
            held.note(added)
            assert held.cache.length == len(held.tokens)
            assert sum(each.most for each in shelf.all) <= 30


@given(st.lists(st.lists(st.integers(3, 6), min_size=1, max_size=30), min_size=1, max_size=6))
def test_an_answer_does_not_depend_on_what_was_read_before(prompts: list[list[int]]) -> None:
    used = reader(HashRuntime(0))
    for prompt in prompts:
        rows = used.read(prompt)
    assert np.array_equal(rows, reader(HashRuntime(0)).read(prompts[-1]))
