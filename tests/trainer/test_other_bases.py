"""Other families of base models, tiny and random: made a base, trained, exported, and asked by the engine.

GPT-Neo, the paper's, goes the longer way of test_from_scratch.py.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from cert_lsp.contract.bundle import load_manifest
from tests.trainer.retrain.team import run

transformers = pytest.importorskip("transformers")
pytest.importorskip("deepspeed")
pytest.importorskip("onnxscript")

COMMON = {"vocab_size": 512, "bos_token_id": 2, "eos_token_id": 2}
SMALL = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 256}
GROUPED = {**SMALL, "num_key_value_heads": 2, "intermediate_size": 64}
FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "codegen": ("CodeGen", {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 256, "rotary_dim": 8}),
    "llama": ("Llama", GROUPED),
    "qwen2": ("Qwen2", {**GROUPED, "tie_word_embeddings": True}),
    "starcoder2": ("Starcoder2", {**GROUPED, "sliding_window": 64}),
}


def make_model(family: str, folder: Path) -> None:
    """Write a Hugging Face folder of random weights, whose tokenizer knows nothing of our markers."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    name, settings = FAMILIES[family]
    torch.manual_seed(0)
    config = getattr(transformers, f"{name}Config")(**COMMON, **settings)
    getattr(transformers, f"{name}ForCausalLM")(config).save_pretrained(folder)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = ["<pad>", "<unk>", "<|endoftext|>", *alphabet]
    tokenizer = Tokenizer(models.BPE({word: number for number, word in enumerate(words)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|endoftext|>", clean_up_tokenization_spaces=False
    ).save_pretrained(folder)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_from_weights_to_answers(family: str, tiny_corpus: Path, tmp_path: Path) -> None:
    model, base, out, bundle = (tmp_path / name for name in ("model", "base", "run", "bundle"))
    make_model(family, model)
    run("trainer", "base", "--from", model, "--out", base)
    settings = [f"--set={each}" for each in ("steps=3", "optimizer.warmup=1", "checkpoint_minutes=60")]
    run("trainer", "train", "--config", "smoke", "--corpus", tiny_corpus, "--base", base, "--out", out, *settings)
    run("export", out / "model", "--out", bundle)
    assert load_manifest(bundle).base["name"] == "model"
    assert "recorded requests get the recorded answers" in run("cert_lsp", "doctor", "--model", bundle).stdout
    script = tmp_path / "work.py"
    script.write_text("import pandas as pd\ndf = pd.read_csv('a.csv')\n# mean of v per k\n")
    told = json.loads(run("cert_lsp", "complete", f"{script}:4", "--json", "--model", bundle).stdout)
    assert told["elapsed_ms"] > 0  # weights of three steps: there may be nothing valid to offer
