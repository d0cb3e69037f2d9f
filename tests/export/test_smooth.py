"""Channels are evened out, and the model stays what it was."""

import numpy as np
import pytest
import torch

from export.smooth import _peaks, smooth
from tests.export.tiny import VOCABULARY, make_model

TEXTS = [[int(token) for token in np.random.default_rng(seed).integers(0, VOCABULARY, 40)] for seed in range(3)]


def logits(model: torch.nn.Module) -> torch.Tensor:
    with torch.inference_mode():
        return model(torch.tensor([TEXTS[0]])).logits


@pytest.mark.parametrize("kind", ["llama", "untied", "qwen2"])
def test_every_factor_is_taken_back_by_the_next_weights(kind: str) -> None:
    model = make_model(kind)
    before = logits(model)
    weights = model.model.layers[0].mlp.up_proj.weight.clone()
    smooth(model, TEXTS)
    assert (logits(model) - before).abs().max() < 1e-3 * before.std()
    assert (model.model.layers[0].mlp.up_proj.weight - weights).abs().max() > 0.01


def test_outliers_of_activations_shrink() -> None:
    model = make_model("llama")
    with torch.no_grad():  # as the norms of trained models do
        for layer in model.model.layers:
            layer.input_layernorm.weight[3] *= 100
            layer.mlp.up_proj.weight[5] *= 100

    def spread(linear: torch.nn.Module) -> float:
        with torch.inference_mode():
            peak = _peaks(model, TEXTS)[linear]
        return float(peak.max() / peak.median())

    readers = [part for layer in model.model.layers for part in (layer.self_attn.q_proj, layer.mlp.down_proj)]
    before = [spread(reader) for reader in readers]
    smooth(model, TEXTS)
    assert all(spread(reader) < was / 3 for reader, was in zip(readers, before, strict=True))
