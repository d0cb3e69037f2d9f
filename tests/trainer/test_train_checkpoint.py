"""Checkpoints: complete or absent, never half."""

import errno
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cert_lsp.errors import CertError, ConfigError
from trainer.base import read_cert
from trainer.config import Data, Lora, TrainConfig
from trainer.data import Position

torch = pytest.importorskip("torch")


class Engine:
    """A DeepSpeed engine's saving side; ``full`` plays a full disk."""

    def __init__(self) -> None:
        self.full = False
        self.module = self
        self.model = self

    def save_checkpoint(self, folder: str, tag: str, client_state: dict[str, Any], **_: Any) -> None:
        (Path(folder) / tag / "state.json").write_text(json.dumps(client_state))
        self._fill()

    def load_checkpoint(self, folder: str, tag: str, **_: Any) -> tuple[str, dict[str, Any]]:
        path = Path(folder) / tag / "state.json"
        return str(path), json.loads(path.read_text())

    def load_universal_checkpoint(self) -> bool:
        return False

    def save_pretrained(self, folder: Path, state_dict: dict[str, Any]) -> None:
        assert state_dict == {}
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(b"weights")
        self._fill()

    def _fill(self) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")


class Stream:
    position = Position(1, 2, 3)


def test_a_full_disk_leaves_the_previous_checkpoint(tmp_path: Path) -> None:
    from trainer.checkpoint import Checkpoints

    engine, checkpoints = Engine(), Checkpoints(tmp_path, 0, 1)
    checkpoints.save(engine, Stream(), {"step": 5}, 5)  # type: ignore[arg-type]
    drawn = torch.rand(3)
    engine.full = True
    with pytest.raises(CertError, match=r"No space left.*previous checkpoint is untouched"):
        checkpoints.save(engine, Stream(), {"step": 6}, 6)  # type: ignore[arg-type]
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["latest", "step-000005"]
    assert checkpoints.load(engine) == ({"step": 5}, Position(1, 2, 3))
    assert torch.equal(torch.rand(3), drawn)


def test_only_the_newest_checkpoint_is_kept(tmp_path: Path) -> None:
    from trainer.checkpoint import Checkpoints

    engine, checkpoints = Engine(), Checkpoints(tmp_path, 0, 1)
    for step in (1, 2):
        checkpoints.save(engine, Stream(), {"step": step}, step)  # type: ignore[arg-type]
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["latest", "step-000002"]


def test_another_number_of_processes_goes_on_at_about_the_same_place(tmp_path: Path) -> None:
    from trainer.checkpoint import Checkpoints

    engine = Engine()
    Checkpoints(tmp_path, 0, 1).save(engine, Stream(), {"step": 1}, 1)  # type: ignore[arg-type]
    two = Checkpoints(tmp_path, 1, 2)
    assert two.fit({"zero_optimization": {"stage": 0}}) == {"zero_optimization": {"stage": 0}}
    # The third window was begun, so that three are over: more than one for each of two processes, and less than two.
    assert two.load(engine) == ({"step": 1}, Position(1, 2, 0))


def test_a_damaged_checkpoint_is_told(tmp_path: Path) -> None:
    from trainer.checkpoint import Checkpoints

    engine = Engine()
    Checkpoints(tmp_path, 0, 1).save(engine, Stream(), {"step": 1}, 1)  # type: ignore[arg-type]
    (tmp_path / "checkpoints/step-000001/process-0.pt").write_bytes(b"half")
    with pytest.raises(CertError, match="damaged"):
        Checkpoints(tmp_path, 0, 1).load(engine)


def test_a_new_run_has_no_checkpoint(tmp_path: Path) -> None:
    from trainer.checkpoint import Checkpoints

    assert Checkpoints(tmp_path, 0, 1).load(Engine()) is None


def test_a_full_disk_leaves_the_previous_model(tiny_base: Path, tmp_path: Path) -> None:
    from trainer.checkpoint import write_model

    engine, config = Engine(), TrainConfig(role="sketcher")
    write_model(tmp_path, engine, {}, tiny_base, config, {"steps": 5, "tokens": 100, "eval_loss": 1.5})
    engine.full = True
    with pytest.raises(CertError, match="No space left"):
        write_model(tmp_path, engine, {}, tiny_base, config, {"steps": 6})
    cert = read_cert(tmp_path / "model")
    assert (cert["layout"], cert["role"], cert["training"]["steps"]) == ("paper", "sketcher", 5)
    assert cert["base"]["sha256"] == read_cert(tiny_base)["base"]["sha256"]
    assert not (tmp_path / "model.partial").exists()


def test_a_run_goes_on_with_the_same_settings_only(tmp_path: Path) -> None:
    from dataclasses import asdict

    from trainer.checkpoint import check_same_run

    config = TrainConfig()
    check_same_run(tmp_path, {"config": asdict(config), "base": "a"})
    check_same_run(tmp_path, {"config": asdict(config), "base": "a"})
    with pytest.raises(ConfigError, match="another config, base "):
        check_same_run(tmp_path, {"config": asdict(replace(config, seed=1)), "base": "b"})


def test_a_start_must_be_an_adapter_of_the_same_base(tiny_base: Path, tmp_path: Path) -> None:
    from trainer.checkpoint import read_start, write_model

    write_model(tmp_path, Engine(), {}, tiny_base, TrainConfig(), {"steps": 5})
    adapter, base_cert = tmp_path / "model", read_cert(tiny_base)
    with pytest.raises(ConfigError, match="--start takes an adapter"):
        read_start(adapter, base_cert, TrainConfig(lora=Lora()))
    (adapter / "adapter_model.safetensors").write_bytes(b"")
    assert read_start(adapter, base_cert, TrainConfig(lora=Lora()))["steps"] == 5
    with pytest.raises(ConfigError, match="--start takes an adapter"):
        read_start(adapter, base_cert, TrainConfig())
    with pytest.raises(ConfigError, match="sketches of constants"):
        read_start(adapter, base_cert, TrainConfig(lora=Lora(), data=Data(sketch="names")))
    other = {"base": {"name": "other", "sha256": "0"}}
    with pytest.raises(ConfigError, match="not of this base"):
        read_start(adapter, other, TrainConfig(lora=Lora()))
