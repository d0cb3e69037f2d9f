"""The model under training: loaded from a base folder, with adapters if wanted, and its loss.

The loss is computed only where something is learned: hidden states of all positions, but logits of the learned ones
alone. With a vocabulary of 49,152 and half of the tokens learned this saves a tenth of the time and most of the memory.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from cert_lsp.errors import ConfigError
from trainer.data import CODE, SKETCH, UNLEARNED, Batch
from trainer.lora import fuse

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from trainer.config import Lora, TrainConfig


def load_model(
    base: Path,
    lora: Lora | None,
    start: Path | None = None,
    *,
    autocast: bool = False,
    checkpoint_activations: bool = False,
) -> PreTrainedModel:
    """Load a base folder in fp32; with ``lora``, adapters on all linear layers, fresh or those of ``start``.

    ``autocast``: what is frozen beside adapters is kept in bf16, as every pass would turn it into bf16 again.
    ``checkpoint_activations``: keep only what stands between the blocks, and compute the rest again when it is needed.

    Raises:
        ConfigError: The folder holds no causal language model, or ``start`` no adapter that fits.
    """
    from transformers import AutoModelForCausalLM

    try:
        model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, local_files_only=True)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{base} holds no causal language model: {error}") from error
    model.config.use_cache = False
    if checkpoint_activations:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    if lora is None:
        return model
    from peft import LoraConfig, PeftModel, get_peft_model

    if start:
        adapted = PeftModel.from_pretrained(model, str(start), is_trainable=True)
        found = adapted.peft_config["default"]
        if (found.r, found.lora_alpha) != (lora.rank, lora.alpha):
            raise ConfigError(
                f"{start} has rank {found.r} and alpha {found.lora_alpha}, the settings {lora.rank} and {lora.alpha}",
                remedy="set lora.rank and lora.alpha to the adapter's",
            )
    else:
        adapted = get_peft_model(
            model,
            LoraConfig(
                r=lora.rank,
                lora_alpha=lora.alpha,
                lora_dropout=lora.dropout,
                target_modules="all-linear",
                task_type="CAUSAL_LM",
            ),
        )
    fuse(adapted)
    if autocast:
        for parameter in adapted.parameters():
            if not parameter.requires_grad:
                parameter.data = parameter.data.bfloat16()
    return adapted


class LearnedLoss(nn.Module):
    """A causal language model that returns its loss by part.

    ``forward`` takes what :func:`to_tensors` gives and returns float32 tensors: the mean loss per learned token (to be
    differentiated), and a (2, 2) table, rows sketch and code, columns summed loss and tokens.
    """

    def __init__(self, model: PreTrainedModel, *, autocast: bool) -> None:
        """Wrap ``model``; ``autocast``: matrix products in bf16."""
        super().__init__()
        self.model = model
        self._autocast = autocast

    def forward(
        self, ids: Tensor, parts: Tensor, branches: Tensor | None = None, positions: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Compute the loss of predicting every learned token from those before it in its record."""
        parts_next = parts[:, 1:]
        learned = parts_next != UNLEARNED
        with contextlib.ExitStack() as stack:
            stack.enter_context(torch.autocast(ids.device.type, torch.bfloat16, enabled=self._autocast))
            core: Any = self.model
            if hasattr(core, "peft_config"):
                # peft would turn every activation back to fp32 for its fp32 adapters; autocast makes that needless.
                from peft.helpers import disable_input_dtype_casting

                stack.enter_context(disable_input_dtype_casting(core, active=self._autocast))
                core = core.get_base_model()
            mask = None if branches is None else _seen(branches)
            hidden = core.base_model(ids, mask, positions, use_cache=False)[0][:, :-1]
            logits = core.get_output_embeddings()(hidden[learned])
        losses = nn.functional.cross_entropy(logits.float(), ids[:, 1:][learned], reduction="none")
        kinds = parts_next[learned]
        table = torch.stack(
            [
                torch.stack([losses.detach()[kinds == part].sum(), (kinds == part).sum().float()])
                for part in (SKETCH, CODE)
            ]
        )
        return losses.sum() / max(1, losses.numel()), table


def _seen(branches: Tensor) -> Tensor:
    """(examples, 1, length, length) truth values: who sees whom. The trunk is seen by all that stand behind it."""
    own = branches[:, :, None] == branches[:, None, :]
    return ((branches == 0)[:, None, :] | own).tril()[:, None]


def to_tensors(batch: Batch, device: torch.device) -> tuple[Tensor, ...]:
    """Ids and parts of a batch on ``device``; branches and positions too where records share a beginning."""
    arrays = (batch.ids, batch.parts, batch.branches, batch.positions)
    return tuple(torch.from_numpy(array).to(device) for array in arrays if array is not None)


def can_autocast(config: TrainConfig, device: torch.device) -> bool:
    """Whether bf16 is both wanted and quick here; a CPU without bf16 instructions would be slower than in fp32."""
    if config.precision != "bf16-autocast":
        return False
    if device.type == "cpu":
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    return torch.cuda.is_bf16_supported(including_emulation=False)
