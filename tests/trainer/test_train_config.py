"""Settings: every fault is told, overrides reach into sections, the shipped files are valid."""

import json
from pathlib import Path

import pytest

from cert_lsp.errors import ConfigError
from trainer.config import CONFIGS, Lora, TrainConfig, describe_settings, load_config


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_configurations_are_valid(path: Path) -> None:
    pytest.importorskip("deepspeed")
    from trainer.engine import read_deepspeed

    config, deepspeed = load_config(path.stem)
    assert read_deepspeed(deepspeed, config)["gradient_accumulation_steps"] == config.accumulation


def test_all_faults_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text('stepz = 3\nrole = 7\n[data]\nwindow = "wide"\n[optimizer]\nlearning_rate = 1\n')
    with pytest.raises(ConfigError) as caught:
        load_config(str(path))
    for fault in ("unknown setting stepz", "role must be str", "data.window must be int", "optimizer.learning_rate"):
        assert fault in str(caught.value)


def test_all_faulty_values_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text('role = "poet"\nsteps = 5\n[optimizer]\nlr = -1.0\n[data.kinds]\nguide = -2\n[lora]\nrank = 0\n')
    with pytest.raises(ConfigError) as caught:
        load_config(str(path))
    for fault in ("role must be one of", "optimizer.lr", "less than steps", "data.kinds.guide", "lora.rank"):
        assert fault in str(caught.value)


def test_overrides_reach_into_sections_and_need_no_quotes() -> None:
    config, _ = load_config("cpu", ["role=sketcher", "optimizer.lr=1e-3", "data.kinds.guide=3", "lora.rank=8"])
    assert (config.role, config.optimizer.lr, config.data.kinds["guide"]) == ("sketcher", 1e-3, 3)
    assert config.lora == Lora(rank=8, alpha=64)


@pytest.mark.parametrize("override", ["steps", "steps.more=3", "nothing=1", "steps=true", "steps=1.5"])
def test_bad_overrides_fail(override: str) -> None:
    with pytest.raises(ConfigError):
        load_config("cpu", [override])


def test_a_missing_configuration_names_those_that_exist() -> None:
    with pytest.raises(ConfigError, match="cpu, pycodegpt-110m, retrain, retrain-full, smoke, v100"):
        load_config("gpu")


def test_help_describes_every_setting() -> None:
    text = describe_settings()
    for name in ("role", "optimizer.lr", "data.no_sketch_share", "lora.rank", "checkpoint_minutes"):
        assert f"  {name} " in text


def deepspeed_faults(tmp_path: Path, settings: object, config: TrainConfig | None = None) -> str:
    from trainer.engine import read_deepspeed

    path = tmp_path / "ds.json"
    path.write_text(json.dumps(settings))
    with pytest.raises(ConfigError) as caught:
        read_deepspeed(path, config or TrainConfig())
    return str(caught.value)


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"fp1": {"enabled": True}}, "unknown setting fp1"),
        ({"fp16": {"enable": True}}, "unknown setting fp16.enable"),
        ({"fp16": {"initial_scale_power": "many"}}, "fp16.initial_scale_power"),
        ({"zero_optimization": {"stage": "auto"}}, 'zero_optimization.stage is "auto"'),
        ({"zero_optimization": {"stage": 7}}, "zero_optimization.stage"),
        ({"zero_optimization": 2}, "zero_optimization must be an object"),
        ({"gradient_clipping": 1}, "gradient_clipping is set by optimizer.clip"),
        ([], "one object"),
    ],
)
def test_deepspeed_settings_are_checked(tmp_path: Path, settings: object, fault: str) -> None:
    pytest.importorskip("deepspeed")
    assert fault in deepspeed_faults(tmp_path, settings)


def test_two_half_precisions_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("deepspeed")
    config = TrainConfig(precision="bf16-autocast")
    assert "precision is bf16-autocast" in deepspeed_faults(tmp_path, {"fp16": {"enabled": True}}, config)


@pytest.mark.parametrize(("name", "gpus", "windows"), [("v100", 8, 10 * 4 * 8), ("pycodegpt-110m", 16, 480)])
def test_the_papers_settings_hold_for_its_gpus(
    name: str, gpus: int, windows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("deepspeed")
    import deepspeed.comm
    from deepspeed.runtime.config import DeepSpeedConfig

    from trainer.engine import lr_factor, read_deepspeed

    monkeypatch.setattr(deepspeed.comm, "get_rank", lambda *_: 0)
    monkeypatch.setattr(deepspeed.comm, "get_world_size", lambda *_: gpus)
    config, path = load_config(name)
    checked = DeepSpeedConfig(read_deepspeed(path, config))
    assert checked.train_batch_size == windows
    assert checked.float16_config.enabled
    assert checked.zero_optimization_stage == 2
    assert (config.data.window, config.optimizer.lr) == (1024, 5e-4)
    assert (config.optimizer.beta1, config.optimizer.beta2) == (0.9, 0.95)
    warm, end = config.optimizer.warmup, config.steps
    assert end == {"v100": 100_000, "pycodegpt-110m": 200_000}[name]
    assert lr_factor(warm - 1, config) == 1.0 > lr_factor(end // 2, config) > lr_factor(end, config)
    assert lr_factor(end, config) == pytest.approx(0.1)


def test_the_hostfile_of_the_documentation_is_one(tmp_path: Path) -> None:
    pytest.importorskip("deepspeed")
    from deepspeed.launcher.runner import fetch_hostfile

    text = (Path(__file__).parents[2] / "docs/training.md").read_text(encoding="utf-8")
    hostfile = tmp_path / "hostfile"
    hostfile.write_text(text.partition("```text\n")[2].partition("```")[0])
    assert fetch_hostfile(str(hostfile)) == {"node1": 8, "node2": 8}
