"""The planning command: published figures, orders of magnitude that anyone can check by hand, refusals."""

import json
from dataclasses import replace

import pytest

from cert_lsp.errors import ConfigError
from trainer.__main__ import main
from trainer.plan import Run, choose, days, options

PAPER = Run(
    params=110e6,
    hidden=768,
    layers=12,
    vocab=32_000,
    window=1024,
    tokens=100e9,
    batch_tokens=480e3,
    gpus=16,
    gpu_memory=32e9,
    gpu_flops=125e12,
)


def test_states_are_sixteen_bytes_a_weight_and_shared_as_zero_does() -> None:
    states = {option.stage: option.states for option in options(PAPER)}
    assert states[0] == 16 * PAPER.params
    assert states[1] == (4 + 12 / 16) * PAPER.params
    assert states[2] == (2 + 14 / 16) * PAPER.params
    assert states[3] == PAPER.params


def test_the_papers_run_fits_and_takes_about_the_two_days_it_took() -> None:
    chosen = choose(PAPER)
    assert chosen.memory <= PAPER.gpu_memory
    assert chosen.micro_batch * chosen.accumulation * PAPER.window * PAPER.gpus >= 0.95 * PAPER.batch_tokens
    assert days(PAPER, chosen, 0.4) < 2 < days(PAPER, chosen, 0.15)


def test_twice_the_gpus_halve_the_days() -> None:
    chosen = choose(PAPER)
    assert days(replace(PAPER, gpus=32), chosen, 0.3) == pytest.approx(days(PAPER, chosen, 0.3) / 2)


def test_a_larger_model_shares_states_or_computes_again() -> None:
    large = choose(replace(PAPER, params=7e9, hidden=4096, layers=32))
    assert large.stage == 2
    assert large.checkpoint_activations


def test_what_does_not_fit_is_refused_with_the_memory_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigError, match=r"needed on each GPU"):
        choose(replace(PAPER, params=70e9, hidden=8192, layers=80))
    assert main(["plan", "--params", "70B", "--gpus", "1", "--gpu-memory", "16"]) == 1
    assert "fits" in capsys.readouterr().err


def test_text_and_json_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["plan", "--params", "110M", "--gpus", "16", "--gpu-memory", "32"]
    assert main(asked) == 0
    text = capsys.readouterr().out
    assert main([*asked, "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["run"]["steps"] == 208_333
    assert (plan["run"]["hidden"], plan["run"]["layers"]) == (768, 12)
    assert f"micro_batch = {plan['chosen']['micro_batch']}," in text


@pytest.mark.parametrize("amount", ["many", "-3", "1X", ""])
def test_an_amount_that_is_none_is_refused(amount: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["plan", f"--params={amount}", "--gpus", "1", "--gpu-memory", "16"])
    assert "no amount" in capsys.readouterr().err
