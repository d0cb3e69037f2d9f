import json
from pathlib import Path

import pytest

from cert_lsp.contract.bundle import verify
from export.__main__ import main


def test_export_then_verify(checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, report = tmp_path / "out", tmp_path / "report.json"
    assert main([str(checkpoint), "--out", str(out), "--bits", "32", "--name", "mine"]) == 0
    assert verify(out).name == "mine"
    assert f"wrote {out}" in capsys.readouterr().out
    assert main(["verify", str(out), str(checkpoint), "--prompts", "3", "--json", str(report)]) == 0
    (model,) = json.loads(report.read_text())["models"]
    assert (model["role"], model["prompts"], model["equal_tokens"]) == ("joint", 3, 1.0)
    assert "100.0%" in capsys.readouterr().out


def test_error_is_one_message_and_status_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    told = capsys.readouterr().err
    assert "cert.json" in told
    assert "trainer" in told
    assert "Traceback" not in told


def test_verify_fails_for_another_checkpoint(exact: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.export.tiny import make_checkpoint

    other = make_checkpoint(tmp_path / "other", seed=4)
    assert main(["verify", str(exact), str(other), "--prompts", "2"]) == 1
    assert "is not the checkpoint's" in capsys.readouterr().err
