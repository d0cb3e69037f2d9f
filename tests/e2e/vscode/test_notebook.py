"""Ghost text in a notebook's cells: the cells above are read, and Markdown directly above says what is wanted."""

import json

from tests.e2e.vscode.conftest import OpenFile, TakePicture
from tests.e2e.vscode.test_scenarios import BEFORE, INTENT
from tests.e2e.vscode.window import Window

ABOVE = BEFORE.decode().strip()


def notebook(*cells: tuple[str, str]) -> bytes:
    """A notebook of cells: their kind and their source."""
    of_kind = {"code": {"execution_count": None, "outputs": []}, "markdown": {}}
    made = [
        {"cell_type": kind, "id": f"cell-{number}", "metadata": {}, "source": source.splitlines(keepends=True)}
        | of_kind[kind]
        for number, (kind, source) in enumerate(cells)
    ]
    metadata = {"language_info": {"name": "python"}}
    return json.dumps({"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}).encode()


def wait_for_sources(window: Window, *sources: str) -> None:
    """Wait until the notebook on the disk has cells with these sources."""

    def found() -> list[str]:
        try:
            return ["".join(cell["source"]) for cell in json.loads(window.content())["cells"]]
        except ValueError:  # it is just being written
            return []

    window.wait_for_save(lambda: found() == list(sources), f"the cells to be {sources!r}")


def test_cell_is_completed(open_file: OpenFile) -> None:
    window = open_file(notebook(("code", ABOVE), ("code", "")), "delays.ipynb")
    window.press("Enter")  # into the last cell
    ghost = window.type_and_wait(INTENT)
    assert "flights" in ghost  # which a cell above binds
    window.press("Tab")
    wait_for_sources(window, ABOVE, INTENT + ghost)
    window.press("Control+z")
    wait_for_sources(window, ABOVE, INTENT)


def test_markdown_is_the_intent(open_file: OpenFile, take_picture: TakePicture) -> None:
    markdown = "### Largest delay per carrier"
    window = open_file(notebook(("code", ABOVE), ("markdown", markdown), ("code", "")), "delays.ipynb")
    window.press("Enter")
    ghost = window.type_and_wait("delays = ")
    assert "max()" in ghost
    take_picture(window, "vscode-notebook")
    window.press("Tab")
    wait_for_sources(window, ABOVE, markdown, f"delays = {ghost}")
