"""What a user of JupyterLab does and sees: the list of completions, in a file and in a notebook."""

import ast
import json
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import processes, shared_servers
from tests.e2e.jupyterlab.conftest import OpenFile
from tests.e2e.jupyterlab.lab import PATIENCE

BEFORE = """\
import pandas as pd

flights = pd.DataFrame({"carrier": ["AA", "UA"], "delay": [12.5, 3.0], "distance": [733, 1400]})

"""
INTENT = "# average delay per carrier"


def notebook(*cells: str) -> str:
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    code = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
    numbered = [{**code, "id": f"cell-{number}", "source": text} for number, text in enumerate(cells)]
    return json.dumps({"cells": numbered, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5})


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_comment_becomes_code_and_back(open_file: OpenFile, end: str) -> None:
    before = BEFORE.replace("\n", end)
    window = open_file(before, f"delays-{len(end)}.py")
    intent = "# \N{AIRPLANE} Ø average delay per carrier"
    window.type(intent)
    commented = window.wait_for(lambda text: text.rstrip("\r\n") == before + intent)
    [first, *_] = window.completions()
    window.press("Enter")
    accepted = window.wait_for(lambda text: text != commented)
    assert accepted.rstrip("\r\n") == f"{before}{intent}{end}{first}"
    assert "groupby" in first
    ast.parse(accepted)
    window.press("Control+z")
    window.wait_for(lambda text: text == commented)


def test_half_written_statement_is_finished(open_file: OpenFile) -> None:
    window = open_file(f"{BEFORE}{INTENT}\nmean = ", "statement.py")
    window.type("flights.gro")
    [first, *_] = window.completions()
    window.press("Enter")
    accepted = window.wait_for(lambda text: "groupby" in text)
    assert accepted.rstrip("\n") == f"{BEFORE}{INTENT}\nmean = flights.{first}"
    ast.parse(accepted)


def test_cell_is_completed_from_the_cells_above(open_file: OpenFile) -> None:
    window = open_file(notebook(f"{BEFORE}# \N{PANDA FACE}", ""), "delays.ipynb")
    window.type(INTENT)
    commented = window.wait_for(lambda text: text == INTENT)
    [first, *_] = window.completions()
    window.press("Enter")
    accepted = window.wait_for(lambda text: text != commented)
    assert accepted == f"{INTENT}\n{first}"
    assert "flights.groupby" in first
    window.press("Control+z")
    window.wait_for(lambda text: text == INTENT)


def test_settings_are_changed_live(open_file: OpenFile) -> None:
    window = open_file(f"{BEFORE}{INTENT}\nmean = flights.", "settings.py")
    window.type("gr")
    assert len(window.completions()) > 1
    window.press("Escape")
    settings = {"language_servers": {"cert-lsp": {"serverSettings": {"cert.candidates": 1}}}}
    window.set("@jupyter-lsp/jupyterlab-lsp:plugin", settings)
    window.type("o")
    end = time.monotonic() + PATIENCE
    while len(window.completions()) > 1:  # the browser tells the server of it when it has saved it
        assert time.monotonic() < end, f"the old settings still held after {PATIENCE:g} s"
        window.press("Escape")


def test_two_windows_share_one_server(open_file: OpenFile, runtime: Path) -> None:
    windows = [open_file(BEFORE, f"window-{number}.py") for number in range(2)]
    assert len(shared_servers(runtime)) == 1
    for window in windows:
        window.type(INTENT)
        window.wait_for(lambda text: text.rstrip("\n") == BEFORE + INTENT)
    for window in windows:
        window.page.bring_to_front()
        [first, *_] = window.completions()
        window.press("Enter")
        window.wait_for(lambda text, first=first: text.rstrip("\n") == f"{BEFORE}{INTENT}\n{first}")
    assert len(shared_servers(runtime)) == 1
    windows[1].page.close()
    windows[0].type("\nmean = flights.gro")
    assert any("groupby" in each for each in windows[0].completions())


def test_killed_server_comes_back_with_the_page(open_file: OpenFile, runtime: Path) -> None:
    window = open_file(BEFORE, "killed.py")
    window.type(INTENT)
    commented = window.wait_for(lambda text: text.rstrip("\n") == BEFORE + INTENT)
    for each in processes(runtime):
        each.kill()
    window.load()
    assert window.saved() == commented
    window.type("\nmean = flights.gro")
    assert any("groupby" in each for each in window.completions())
    assert len(shared_servers(runtime)) == 1
