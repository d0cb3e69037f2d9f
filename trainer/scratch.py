"""Bases with random weights: GPT-Neo as the paper's base begins (Zan et al., 2022, section 4.1), and a tiny Llama."""

from __future__ import annotations

import json
from pathlib import Path

from cert_lsp.contract.prompt import Marker
from cert_lsp.errors import ConfigError
from trainer.base import SMOLLM2_MARKERS, repair_tokenizer, write_cert, write_tokenizer

SHAPES = {"110m": (768, 12, 12), "5m": (256, 4, 4), "tiny": (32, 2, 2)}
"""Width, blocks and heads of a base from scratch: 111 million weights with 32,000 tokens, 5.7 million with 8,000."""


def write_scratch_base(tokenizer: Path, out: Path, shape: str) -> None:
    """Write a GPT-Neo with random weights (seed 0) for a tokenizer of `python -m trainer tokenizer`.

    Raises:
        ConfigError: The folder holds no such tokenizer.
    """
    import torch
    from tokenizers import Tokenizer
    from transformers import GPTNeoConfig, GPTNeoForCausalLM

    try:
        words = Tokenizer.from_file(str(tokenizer / "tokenizer.json"))
    except Exception as error:  # tokenizers raises nothing more exact
        raise ConfigError(
            f"{tokenizer} holds no tokenizer: {error}", remedy="make one with `python -m trainer tokenizer`"
        ) from error
    end = words.token_to_id(SMOLLM2_MARKERS[Marker.END])
    if end is None:
        raise ConfigError(f"the tokenizer in {tokenizer} has no markers", remedy="make one with our command")
    hidden, layers, heads = SHAPES[shape]
    config = GPTNeoConfig(
        vocab_size=words.get_vocab_size(),
        hidden_size=hidden,
        num_layers=layers,
        num_heads=heads,
        max_position_embeddings=2048,
        attention_types=[[["global", "local"], layers // 2]],
        window_size=256,
        bos_token_id=end,
        eos_token_id=end,
    )
    torch.manual_seed(0)
    GPTNeoForCausalLM(config).save_pretrained(out)
    write_tokenizer(json.loads(words.to_str()), out, eos=SMOLLM2_MARKERS[Marker.END])
    write_cert(out, f"gpt-neo-{shape}-scratch", SMOLLM2_MARKERS)


def write_random_base(out: Path) -> None:
    """Write a two-layer Llama with random weights (seed 0) whose vocabulary is SmolLM2's markers and the 256 bytes."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM

    markers = list(SMOLLM2_MARKERS.values())
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({token: number for number, token in enumerate(markers + alphabet)}, []))
    tokenizer.add_special_tokens(markers)
    end = markers.index(SMOLLM2_MARKERS[Marker.END])
    config = LlamaConfig(
        vocab_size=len(markers) + len(alphabet),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=end,
        eos_token_id=end,
    )
    torch.manual_seed(0)
    LlamaForCausalLM(config).save_pretrained(out)
    write_tokenizer(repair_tokenizer(json.loads(tokenizer.to_str())), out, eos=markers[end])
    write_cert(out, "random", SMOLLM2_MARKERS)
