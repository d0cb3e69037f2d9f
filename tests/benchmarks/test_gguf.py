"""llama.cpp gets the very weights that we run."""

from pathlib import Path

import gguf
import numpy as np
import pytest

from benchmarks.engine import Model
from benchmarks.gguf_file import _interleaved, _q8_0, write_gguf
from benchmarks.peers import Genai, LlamaCpp
from cert_lsp.contract.bundle import EMBEDDED
from cert_lsp.contract.prompt import Role, render

_TEXT = 'import pandas as pd\n\nflights = pd.read_csv("a.csv")\n\n# average delay per carrier\n'
_TOKENS = 12


@pytest.fixture(scope="module")
def model() -> Model:
    return Model.open(EMBEDDED)


@pytest.mark.parametrize(("blocks", "block", "width"), [(3, 32, 96), (2, 128, 192)])
def test_blocks_mean_the_same_numbers(blocks: int, block: int, width: int) -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 256, (4, blocks, block), dtype=np.uint8)
    scales = rng.random((4, blocks)).astype(np.float16).astype(np.float32)
    ours = (values.astype(np.float32) - 128) * scales[..., np.newaxis]
    theirs = gguf.dequantize(_q8_0(values, scales, width), gguf.GGMLQuantizationType.Q8_0)
    np.testing.assert_array_equal(theirs, ours.reshape(4, -1)[:, :width])


def test_halves_of_a_head_come_side_by_side() -> None:
    rows = np.arange(8, dtype=np.uint8)[:, np.newaxis]  # two heads of four
    assert _interleaved(rows, 2)[:, 0].tolist() == [0, 2, 1, 3, 4, 6, 5, 7]


def test_header_has_the_base_of_the_rotary_embedding(tmp_path: Path) -> None:
    write_gguf(EMBEDDED, tmp_path / "model.gguf")
    fields = gguf.GGUFReader(tmp_path / "model.gguf").fields
    assert fields["llama.rope.freq_base"].contents() == 100_000
    assert fields["llama.attention.head_count"].contents() == 9


def test_llama_cpp_writes_what_we_write(model: Model, tmp_path: Path) -> None:
    prompt = model.encoder.encode(render(Role.JOINT, _TEXT, None, None)).ids
    cache = model.runtime.new_cache()
    logits = model.runtime.forward(cache, prompt)[0]
    ours = []
    for _ in range(_TOKENS):
        ours.append(int(logits.argmax()))
        logits = model.runtime.forward(cache, ours[-1:])[0]
    peer = LlamaCpp(EMBEDDED, tmp_path, threads=2)
    text, run = peer.write(prompt, _TOKENS, warm=False)
    assert text == model.encoder.decode(ours)
    assert 0 < run.prefill < run.total
    assert peer.run(prompt, _TOKENS, warm=True).prefill < run.prefill


def test_genai_runs_our_graph(model: Model, tmp_path: Path) -> None:
    prompt = model.encoder.encode_text(_TEXT)
    run = Genai(EMBEDDED, tmp_path, threads=2).run(prompt, 4, warm=False)
    assert 0 < run.prefill < run.total
