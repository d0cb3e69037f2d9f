"""The wheel holds the server alone, installs without the training stack, and completes a comment."""

import json
import re
import subprocess
import zipfile
from pathlib import Path

from cert_lsp import __version__
from tests.e2e.conftest import ROOT


def test_wheel_holds_the_server_alone(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    information = f"cert_lsp-{__version__}.dist-info"
    assert {name.partition("/")[0] for name in names} == {"cert_lsp", information}
    assert {"cert_lsp/models/embedded/bundle.json", f"{information}/licenses/NOTICE"} <= set(names)
    assert not [name for name in names if name.endswith((".pyc", ".safetensors"))]


def test_environment_has_no_training_stack(environment: Path) -> None:
    listing = subprocess.run([environment / "pip", "list", "--format=json"], check=True, stdout=subprocess.PIPE).stdout
    installed = {each["name"].lower() for each in json.loads(listing)}
    assert {"cert-lsp", "onnxruntime"} <= installed
    assert not installed & {"torch", "transformers", "onnx", "optimum", "datasets", "pandas"}


def test_doctor_finds_everything_in_order(environment: Path, tmp_path: Path) -> None:
    run = subprocess.run([environment / "cert-lsp", "doctor"], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_example_of_the_readme_is_completed(environment: Path, tmp_path: Path) -> None:
    example = re.search(r"cert-lsp complete (\S+)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert example
    command = [environment / "cert-lsp", "complete", ROOT / example[1], "--json"]
    output = subprocess.run(command, cwd=tmp_path, check=True, stdout=subprocess.PIPE).stdout
    (candidate,) = json.loads(output)["candidates"]
    assert {"groupby", "mean"} <= set(re.findall(r"\w+", candidate["code"]))
    assert {"groupby", "string", "mean"} <= set(re.findall(r"\w+", candidate["sketch"]))
