"""The linter, the formatter and the type checker have nothing to say."""

import subprocess

import pytest

from tests.architecture.repository import ROOT


@pytest.mark.parametrize("command", ["ruff check", "ruff format --check", "pyright"])
def test_is_clean(command: str) -> None:
    run = subprocess.run(command.split(), cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
