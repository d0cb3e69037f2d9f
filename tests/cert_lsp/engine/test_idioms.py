"""The table of idioms: what is counted is found again, the longest context first, and never shows in an answer."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cert_lsp.contract.prompt import Marker
from cert_lsp.engine.decode import Decoder
from cert_lsp.engine.draft import chain
from cert_lsp.engine.idioms import Idioms, key
from cert_lsp.engine.vocabulary import Vocabulary
from cert_lsp.engine.writing import Task
from cert_lsp.errors import BundleError
from tests.cert_lsp.engine.fake import HashRuntime, ScriptRuntime, ids, tiny_encoder

CODE = "df.groupby('carrier')['delay'].mean()"


def table(opening: int, text: str, order: int) -> Idioms:
    tokens = ids(text)
    return Idioms.of({key(opening, tokens[at - order : at]): (tokens[at], 0.9) for at in range(order, len(tokens))})


def test_the_longest_known_context_tells() -> None:
    idioms = Idioms.of({key(1, [5]): (6, 0.5), key(1, [4, 5]): (7, 0.9), key(2, [5]): (8, 1.0)})
    assert idioms.after(1, [3, 4, 5]) == (7, pytest.approx(0.9, abs=0.01))
    assert idioms.after(1, [9, 5]) == (6, pytest.approx(0.5, abs=0.01))
    assert idioms.after(2, [5]) == (8, 1.0)
    assert idioms.after(1, [9]) is None
    assert idioms.after(1, []) is None
    assert Idioms.of({}).after(1, [5]) is None


def test_a_file_gives_back_what_was_saved(tmp_path: Path) -> None:
    saved = table(1, CODE, 3)
    saved.save(tmp_path / "idioms.npz")
    loaded = Idioms.load(tmp_path / "idioms.npz")
    assert len(loaded) == len(saved) > 0
    assert loaded.after(1, ids(CODE)[:5]) == saved.after(1, ids(CODE)[:5]) is not None


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "idioms.npz").write_bytes(b"no archive")
    with pytest.raises(BundleError, match="idioms"):
        Idioms.load(tmp_path / "idioms.npz")


def test_a_chain_ends_where_it_is_not_worth_reading() -> None:
    def known(tokens: object) -> list[tuple[int, float]]:
        return [(1, 0.6)]

    assert chain([known], []) == [1, 1, 1]  # 0.36, and one more that makes the rows even; then 0.13
    assert chain([lambda _: [(7, 0.01)]], [3]) == [7]
    assert chain([lambda _: [(7, 1.0)], known], [3]) == [7] * 9
    assert chain([lambda _: ()], [3]) == []


@given(st.integers(1, 4), st.integers(0, 50), st.booleans())
def test_idioms_never_show(order: int, seed: int, hashed: bool) -> None:
    prompt = ids("# mean<code>")
    runtime = HashRuntime(seed, CODE) if hashed else ScriptRuntime({"<code>": CODE})
    vocabulary = Vocabulary(tiny_encoder(), runtime.vocab_size)
    task = Task(prompt, "", frozenset({Marker.END}), lambda _: None, 60)
    plain = Decoder(runtime, vocabulary).answer(task, np.random.default_rng(0))
    guided = Decoder(runtime, vocabulary, table(prompt[-1], CODE, order)).answer(task, np.random.default_rng(0))
    assert guided == plain


def test_idioms_save_passes() -> None:
    prompt = ids("# mean<code>")
    runtime = ScriptRuntime({"<code>": CODE})
    decoder = Decoder(runtime, Vocabulary(tiny_encoder(), runtime.vocab_size), table(prompt[-1], CODE, 3))
    decoder.answer(Task(prompt, "", frozenset({Marker.END}), lambda _: None, 60), np.random.default_rng(0))
    assert len(runtime.calls) < 0.5 * len(ids(CODE))
