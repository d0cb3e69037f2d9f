"""Between two adapters: each weight as far along as asked for, all else as trained."""

from pathlib import Path

import pytest

from trainer.retrain.blend import WEIGHTS, blend

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("name", WEIGHTS)
def test_each_weight_is_as_far_along_as_asked_for(name: str, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    for folder, value in (("start", 1.0), ("trained", 3.0)):
        (tmp_path / folder).mkdir()
        save_file({"a": torch.full((2, 2), value, dtype=torch.float16)}, tmp_path / folder / name)
        (tmp_path / folder / "cert.json").write_text(folder)
    blend(tmp_path / "start", tmp_path / "trained", tmp_path / "out", 0.25)
    assert load_file(tmp_path / "out" / name)["a"].tolist() == [[1.5, 1.5], [1.5, 1.5]]
    assert (tmp_path / "out" / "cert.json").read_text() == "trained"
