"""Whether a run repeats recorded losses: what counts as the same, and what is told."""

import json
from pathlib import Path

import pytest

from trainer.__main__ import main


def metrics(folder: Path, losses: list[float], tokens: int = 100, held_out: float = 1.0) -> str:
    folder.mkdir()
    lines = [{"step": n, "loss": loss, "tokens": n * tokens} for n, loss in enumerate(losses, 1)]
    lines.append({"step": 2, "eval_loss": held_out})
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(folder)


def test_a_run_is_compared_as_far_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fresh = metrics(tmp_path / "fresh", [3.0, 2.01], held_out=1.25)
    recorded = metrics(tmp_path / "recorded", [3.0, 2.0, 1.0])
    assert main(["compare", fresh, recorded, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told.pop("mean_difference") == pytest.approx(0.005)
    assert told.pop("greatest_difference") == pytest.approx(0.01)
    assert told == {"steps": 2, "same_tokens": True, "held_out_difference": 0.25}
    assert main(["compare", fresh, recorded]) == 0
    assert "2 steps in both, the same tokens" in capsys.readouterr().out
    assert main(["compare", fresh, recorded, "--within", "0.004"]) == 1


def test_other_data_is_no_repetition(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", metrics(tmp_path / "a", [3.0]), metrics(tmp_path / "b", [3.0], tokens=99)]) == 1
    assert "NOT the same tokens" in capsys.readouterr().out


def test_what_is_no_run_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, empty = metrics(tmp_path / "good", [3.0]), metrics(tmp_path / "empty", [])
    assert main(["compare", good, str(tmp_path / "none")]) == 1
    assert "trainer train" in capsys.readouterr().err
    assert main(["compare", good, empty]) == 1
    assert "no step in common" in capsys.readouterr().err
