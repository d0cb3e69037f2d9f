"""Activations that are computed again change neither loss nor gradients; operations are counted."""

from pathlib import Path

import pytest
import torch

from trainer.config import Lora
from trainer.data import CODE
from trainer.model import LearnedLoss, load_model


def test_activations_computed_again_give_the_same_gradients(tiny_base: Path) -> None:
    ids = torch.arange(40).reshape(2, 20) % 30
    parts = torch.full_like(ids, CODE, dtype=torch.int8)
    losses, grads = [], []
    for again in (False, True):
        torch.manual_seed(0)
        model = load_model(tiny_base, Lora(rank=4), checkpoint_activations=again)
        assert model.get_base_model().is_gradient_checkpointing == again
        loss, _ = LearnedLoss(model, autocast=False).train()(ids, parts)
        loss.backward()
        losses.append(loss)
        grads.append([value.grad for value in model.parameters() if value.requires_grad])
    torch.testing.assert_close(losses[1], losses[0])
    torch.testing.assert_close(grads[1], grads[0])
    assert any(bool(grad.any()) for grad in grads[0])


def test_operations_are_counted_by_weights_and_attention(tiny_base: Path) -> None:
    from trainer.engine import Meter

    cpu = torch.device("cpu")
    whole = load_model(tiny_base, None)
    told = Meter(whole, 100, cpu).read(2e6, 2)
    attention = 6 * 2 * 64 * 100  # six, blocks, width, window
    assert told == {"tokens_per_s": 2e6, "tflops": pytest.approx(1e-6 * (6 * whole.num_parameters() + attention))}
    adapted = load_model(tiny_base, Lora(rank=4))
    trained, every = adapted.get_nb_trainable_parameters()
    cheaper = Meter(adapted, 100, cpu).read(1e6, 1)["tflops"]
    assert cheaper == pytest.approx(1e-6 * (4 * every + 2 * trained + attention))
