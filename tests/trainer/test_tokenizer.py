"""The tokenizer: learns Python's words, loses nothing, keeps markers whole, is measured on what it has not seen."""

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from trainer.__main__ import main
from trainer.base import SMOLLM2_MARKERS


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    folder.mkdir()
    for number in range(80):
        text = f"import pandas as pd\n\n\ndef total_{number}(frame):\n    return frame.groupby('k{number}').sum()\n"
        (folder / f"module_{number}.py").write_text(text)
    return folder


def test_it_learns_the_words_of_the_code_and_gives_everything_back(code: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["tokenizer", "--out", str(out), "--folder", str(code), "--size", "400"]) == 0
    tokenizer = Tokenizer.from_file(str(out / "tokenizer.json"))
    assert len(tokenizer.encode("frame.groupby").ids) == 3
    for text in ("    return 'naïve 🐼'\r\n", "\tx = 1234\n", "<jupyter"):
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        assert tokenizer.decode(ids, skip_special_tokens=False) == text
    for marker in SMOLLM2_MARKERS.values():
        assert len(tokenizer.encode(marker, add_special_tokens=False).ids) == 1
    assert len(tokenizer.encode("2024").ids) == 4


def test_it_is_measured_on_files_held_out_beside_the_base(
    code: Path, tmp_path: Path, tiny_base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["tokenizer", "--out", str(tmp_path / "out"), "--folder", str(code), "--size", "400"]
    assert main([*asked, "--base", str(tiny_base), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert 0 < report["held_out_files"] < 20
    assert report["base"]["bytes_per_token"] == 1  # the tiny base knows bytes alone
    assert report["bytes_per_token"] > 2
    assert json.loads((tmp_path / "out/report.json").read_text()) == report


def test_the_same_files_give_the_same_tokenizer(code: Path, tmp_path: Path) -> None:
    texts = []
    for name in ("a", "b"):
        assert main(["tokenizer", "--out", str(tmp_path / name), "--folder", str(code), "--size", "400"]) == 0
        texts.append((tmp_path / name / "tokenizer.json").read_bytes())
    assert texts[0] == texts[1]


@pytest.mark.parametrize(("size", "files"), [("100", 80), ("400", 0)])
def test_too_little_is_refused(
    size: str, files: int, code: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in sorted(code.iterdir())[files:]:
        path.unlink()
    assert main(["tokenizer", "--out", str(tmp_path / "out"), "--folder", str(code), "--size", size]) == 1
    assert "too" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
