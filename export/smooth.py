"""Even out a model's channels before its weights are quantized, so that rounding activations to int8 loses less.

A few channels of a language model's activations are a hundred times larger than the rest, and every value that shares a
scale with one of them is rounded as coarsely. What a layer gives can be divided by a factor for each channel if the
next weights are multiplied by it: the model stays the same, the weights, which have bits to spare, take over part of
the spread (SmoothQuant, Xiao et al., ICML 2023). All factors are folded into weights; nothing is computed at run time.

In: a `transformers` Llama or Qwen2 model, changed in place, and token ids of texts like those that it will read.
Not covered: the output projection, which shares its matrix with the token embedding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

_SHARE = 0.6
"""How much of the spread the weights take over."""
_LEAST = 1e-5


def smooth(model: PreTrainedModel, texts: Sequence[Sequence[int]]) -> None:
    """Even out the inputs of all matrix products but the output projection's, in place.

    Args:
        model: Of an architecture in `gqa.MODEL_TYPES`, in float32.
        texts: Token ids, each text at most as long as the model's window.
    """
    import torch

    with torch.no_grad():
        peaks = _peaks(model, texts)
        for layer in model.model.layers:
            attention, mlp = layer.self_attn, layer.mlp
            for norm, readers in (
                (layer.input_layernorm, [attention.q_proj, attention.k_proj, attention.v_proj]),
                (layer.post_attention_layernorm, [mlp.gate_proj, mlp.up_proj]),
            ):
                factors = _factors(peaks[readers[0]], torch.stack([_columns(reader) for reader in readers]).amax(0))
                norm.weight.div_(factors)
                for reader in readers:
                    reader.weight.mul_(factors)
            _pass_on(mlp.up_proj, mlp.down_proj, _factors(peaks[mlp.down_proj], _columns(mlp.down_proj)))
            # Several query heads read one value head, each of whose channels has one factor for all of them.
            heads = (attention.v_proj.out_features // attention.head_dim, -1, attention.head_dim)
            peak, columns = (each.view(heads).amax(1) for each in (peaks[attention.o_proj], _columns(attention.o_proj)))
            _pass_on(attention.v_proj, attention.o_proj, _factors(peak, columns))


def _pass_on(giver: Any, reader: Any, factors: torch.Tensor) -> None:
    """Divide the rows of one weight, and multiply the next one's columns; `factors` is (channels) or (heads, dim)."""
    giver.weight.div_(factors.reshape(-1, 1))
    if giver.bias is not None:
        giver.bias.div_(factors.flatten())
    read = reader.in_features // factors.numel()
    reader.weight.mul_(factors.unsqueeze(-2).expand(*factors.shape[:-1], read, factors.shape[-1]).reshape(-1))


def _factors(peak: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """By how much each channel is divided, from the greatest activations and the greatest weights that meet them."""
    return (peak.clamp(min=_LEAST) ** _SHARE / columns.clamp(min=_LEAST) ** (1 - _SHARE)).clamp(min=_LEAST)


def _columns(linear: Any) -> torch.Tensor:
    return linear.weight.abs().amax(0)


def _peaks(model: PreTrainedModel, texts: Sequence[Sequence[int]]) -> dict[Any, torch.Tensor]:
    """Return the greatest absolute value of each input channel of every linear layer."""
    import torch

    peaks: dict[Any, torch.Tensor] = {}

    def see(linear: Any, inputs: tuple[torch.Tensor, ...]) -> None:
        peak = inputs[0].abs().flatten(0, -2).amax(0)
        peaks[linear] = torch.maximum(peaks[linear], peak) if linear in peaks else peak

    hooks = [each.register_forward_pre_hook(see) for each in model.modules() if isinstance(each, torch.nn.Linear)]
    for text in texts:
        model(torch.tensor([list(text)]))
    for hook in hooks:
        hook.remove()
    return peaks
