"""The quick pass of adapted layers gives what peft's own gives: values, gradients, and half precision untouched."""

import copy

import pytest
import torch
from torch import nn

from trainer.lora import fuse

peft = pytest.importorskip("peft")


@pytest.fixture
def usual() -> nn.Module:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(12, 20), nn.GELU(), nn.Linear(20, 6, bias=False))
    adapted = peft.get_peft_model(net, peft.LoraConfig(r=4, lora_alpha=8, target_modules=["0", "2"]))
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:  # zero at first: no gradient would reach A
            nn.init.normal_(parameter)
    return adapted


def fused(usual: nn.Module) -> nn.Module:
    quick = copy.deepcopy(usual)
    fuse(quick)
    return quick


def test_values_and_gradients_are_those_of_peft(usual: nn.Module) -> None:
    quick = fused(usual)
    x = torch.randn(3, 5, 12)
    inputs = []
    for model in (usual, quick):
        mine = x.clone().requires_grad_()
        inputs.append(mine)
        model(mine).square().sum().backward()
    torch.testing.assert_close(quick(x), usual(x))
    torch.testing.assert_close(inputs[1].grad, inputs[0].grad, rtol=1e-4, atol=1e-4)
    grads = {name: parameter.grad for name, parameter in usual.named_parameters() if parameter.requires_grad}
    assert len(grads) == 4
    for name, parameter in quick.named_parameters():
        if name in grads:
            torch.testing.assert_close(parameter.grad, grads[name], rtol=1e-4, atol=1e-4)
        else:
            assert parameter.grad is None


def test_half_precision_goes_pefts_way(usual: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = fused(usual)
    monkeypatch.setattr("trainer.lora._Adapted.apply", lambda *_: pytest.fail("the sum would round the update away"))
    with torch.autocast("cpu", torch.bfloat16):
        assert quick(torch.randn(2, 12)).dtype is torch.bfloat16


def test_a_layer_with_dropout_is_left_alone() -> None:
    net = peft.get_peft_model(
        nn.Sequential(nn.Linear(4, 4)), peft.LoraConfig(r=2, lora_dropout=0.5, target_modules=["0"])
    )
    fuse(net)
    assert "forward" not in vars(net.base_model.model[0])
