"""What a user of JupyterLab does and sees: the list of completions, in a file and in a notebook."""

import ast
import json

from tests.e2e.jupyterlab.conftest import OpenFile

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


def test_comment_becomes_code_and_back(open_file: OpenFile) -> None:
    window = open_file(BEFORE, "delays.py")
    intent = "# \N{AIRPLANE} Ø average delay per carrier"
    window.type(intent)
    commented = window.wait_for(lambda text: text.rstrip("\n") == BEFORE + intent)
    [first, *_] = window.completions()
    window.press("Enter")
    accepted = window.wait_for(lambda text: text != commented)
    assert accepted.rstrip("\n") == f"{BEFORE}{intent}\n{first}"
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
    while len(window.completions()) > 1:  # the browser tells the server of it when it has saved it
        window.press("Escape")
