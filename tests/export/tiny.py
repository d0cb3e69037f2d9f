"""Tiny random checkpoints, as the trainer would write them, and prompts for them."""

import hashlib
import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    AutoModelForCausalLM,
    GPTNeoConfig,
    LlamaConfig,
    PretrainedConfig,
    PreTrainedModel,
    Qwen2Config,
)

from cert_lsp.contract.prompt import PROMPT_VERSION, Role
from cert_lsp.contract.sketch import SKETCH_VERSION

MARKERS = {"sketch": "<sketch>", "code": "<code>", "end": "<end>"}
VOCABULARY = 256 + len(MARKERS)
CONTEXT = 256

_SHAPE = {"vocab_size": VOCABULARY, "max_position_embeddings": CONTEXT, "bos_token_id": 258, "eos_token_id": 258}
# Weights far larger than usual: a random model's logits lie so close together that any rounding reorders them.
_LLAMA = _SHAPE | {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "initializer_range": 0.2,
}
CONFIGS: dict[str, PretrainedConfig] = {
    "llama": LlamaConfig(**_LLAMA, tie_word_embeddings=True, rope_theta=100_000.0),
    "untied": LlamaConfig(**_LLAMA, tie_word_embeddings=False),
    "qwen2": Qwen2Config(**_LLAMA, tie_word_embeddings=True),
    "gpt_neo": GPTNeoConfig(
        **_SHAPE, hidden_size=64, num_layers=2, num_heads=4, attention_types=[[["global", "local"], 1]],
        window_size=32, initializer_range=0.2,
    ),
}  # fmt: skip


def make_model(kind: str, seed: int = 0) -> PreTrainedModel:
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(CONFIGS[kind])
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):  # they are born as zeros, which would hide their absence
            torch.nn.init.normal_(parameter, std=0.1)
    with torch.no_grad():
        model.get_output_embeddings().weight *= 4  # some answers are sure, as a trained model's are
    return model.eval()


def make_checkpoint(folder: Path, kind: str = "llama", role: Role = Role.JOINT, seed: int = 0) -> Path:
    """Write a checkpoint of full weights."""
    make_model(kind, seed).save_pretrained(folder)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({character: index for index, character in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(MARKERS.values()))
    tokenizer.save(str(folder / "tokenizer.json"))
    write_cert(folder, role, {"name": "tiny", "sha256": weights_hash(folder)})
    return folder


def make_adapter(folder: Path, base: Path, role: Role = Role.JOINT) -> Path:
    """Write a LoRA adapter for `base` that really changes it."""
    from peft import LoraConfig, get_peft_model

    model = AutoModelForCausalLM.from_pretrained(base)
    torch.manual_seed(1)
    config = LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "down_proj"], init_lora_weights=False)
    get_peft_model(model, config).save_pretrained(folder)
    write_cert(folder, role, {"name": "tiny", "sha256": weights_hash(base), "path": str(base)})
    return folder


def write_cert(folder: Path, role: Role, base: dict[str, str]) -> None:
    cert = {
        "sketch_version": SKETCH_VERSION,
        "prompt_version": PROMPT_VERSION,
        "layout": role.layout,
        "role": role,
        "variant": "constants",
        "markers": MARKERS,
        "base": base,
        "transformers": "4.57.6",
        "training": {"steps": 3},
    }
    (folder / "cert.json").write_text(json.dumps(cert), encoding="utf-8")


def weights_hash(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
