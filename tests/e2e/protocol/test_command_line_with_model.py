"""``cert-lsp`` as a user runs it, with the model that is shipped."""

import ast
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cert_lsp.contract.neighbours import Neighbour, write_neighbours
from tests.e2e.protocol.conftest import COMMENT_END, FLIGHTS

CertLsp = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def cert_lsp(environment: Path, tmp_path: Path) -> CertLsp:
    """The command that the wheel installs, run in a folder without the checkout."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [environment / "cert-lsp", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)

    return run


def test_complete_prints_code_to_insert_and_its_sketch(cert_lsp: CertLsp, tmp_path: Path) -> None:
    path = tmp_path / "flights.py"
    path.write_text(FLIGHTS)
    completed = cert_lsp("complete", f"{path}:{COMMENT_END.line + 1}", "--json", "-n", "3")
    assert completed.returncode == 0, completed.stderr
    output = json.loads(completed.stdout)
    assert output["elapsed_ms"] > 0
    candidates = output["candidates"]
    assert 1 <= len(candidates) <= 3
    assert len({each["code"] for each in candidates}) == len(candidates)
    assert all(each["score"] <= 0 for each in candidates)
    for each in candidates:
        ast.parse(FLIGHTS.rstrip("\n") + each["code"])
        assert each["sketch"].strip()
        assert set(each) == {"code", "sketch", "score"}


def test_complete_is_deterministic(cert_lsp: CertLsp, tmp_path: Path) -> None:
    path = tmp_path / "flights.py"
    path.write_text(FLIGHTS)
    outputs = [json.loads(cert_lsp("complete", f"{path}:5", "--json").stdout)["candidates"] for _ in range(2)]
    assert outputs[0] == outputs[1] != []


def test_the_way_of_the_team_goes_first(cert_lsp: CertLsp, tmp_path: Path) -> None:
    path, neighbours = tmp_path / "flights.py", tmp_path / "neighbours.jsonl.gz"
    path.write_text(FLIGHTS)
    sketch = "table = trips.pivot_table(values=$string, index=$string, aggfunc=$string)"
    write_neighbours(neighbours, [Neighbour("Average delay of a carrier", sketch, body=False)])
    alone = json.loads(cert_lsp("complete", f"{path}:5", "--json").stdout)["candidates"]
    completed = cert_lsp("complete", f"{path}:5", "--json", "-n", "2", "--neighbours", str(neighbours))
    first, second = json.loads(completed.stdout)["candidates"]
    assert "flights.pivot_table(values=" in first["code"]
    assert "index=" in first["code"]
    ast.parse(FLIGHTS.rstrip("\n") + first["code"])
    assert [second] == alone


def test_doctor_finds_everything_in_order(cert_lsp: CertLsp) -> None:
    completed = cert_lsp("doctor", "--json")
    report = json.loads(completed.stdout)
    assert [check["state"] for check in report["checks"]] == ["ok"] * len(report["checks"]), report
    assert completed.returncode == 0
    assert {check["name"] for check in report["checks"]} == {"versions", "runtime", "bundle", "model", "golden"}


def test_doctor_tells_of_a_missing_model(cert_lsp: CertLsp, tmp_path: Path) -> None:
    completed = cert_lsp("doctor", "--model", str(tmp_path))
    assert completed.returncode == 1
    assert "failed" in completed.stdout
    assert "bundle.json is missing" in completed.stdout
