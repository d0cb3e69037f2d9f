"""What a cell is read with, and notebooks as the protocol tells of them."""

from typing import Any

import pytest

from cert_lsp.notebooks import script_above
from tests.cert_lsp.raw_client import RawClient

NOTEBOOK = "file:///one/work.ipynb"
CODE, MARKDOWN = 2, 1


@pytest.mark.parametrize(
    ("markdown", "comment"),
    [
        ("", ""),
        ("## Average *delay* per carrier", "# Average delay per carrier\n"),
        ("# Delays\n\nShow the `mean` delay\nper carrier.", "# Show the mean delay\n# per carrier.\n"),
        ("# Delays\nTotal per [carrier](http://x.org)", "# Total per carrier\n"),
        ("Some text\n## Total per carrier ##", "# Total per carrier\n"),
        ("Total per carrier\n---\n", "# Total per carrier\n"),
        ("- the five longest\n- of each carrier_name", "# the five longest\n# of each carrier_name\n"),
        ("Total per carrier\n```python\ndf.sum()\n```", "# Total per carrier\n"),
        ("a\nb\nc\nd", "# a\n# b\n# c\n"),
        ("2 * 3 * 4 and df__x", "# 2 * 3 * 4 and df__x\n"),
    ],
)
def test_last_paragraph_of_the_markdown_is_a_comment(markdown: str, comment: str) -> None:
    assert script_above([], markdown) == comment


@pytest.mark.parametrize(
    ("cell", "python"),
    [
        ("import pandas as pd\n\n", "import pandas as pd"),
        ("%matplotlib inline\nimport numpy as np\n!ls\ndf?\n?df", "import numpy as np"),
        ("%%time\ndf.sum()", "df.sum()"),
        ("%%bash\nls", ""),
        ("x = 7 % 3", "x = 7 % 3"),
    ],
)
def test_only_python_of_the_cells_above_is_read(cell: str, python: str) -> None:
    assert script_above([cell], "") == (f"{python}\n\n" if python else "")


def cell(name: str, kind: int = CODE) -> dict[str, Any]:
    return {"kind": kind, "document": f"cell:{name}"}


def text(name: str, content: str) -> dict[str, Any]:
    return {"uri": f"cell:{name}", "languageId": "python", "version": 1, "text": content}


def open_notebook(client: RawClient) -> None:
    cells = [cell("imports"), cell("asked", MARKDOWN), cell("here")]
    notebook = {"uri": NOTEBOOK, "notebookType": "jupyter-notebook", "version": 1, "cells": cells}
    texts = [text("imports", "import pandas as pd\r\ndf = 🐼"), text("asked", "## Total of each"), text("here", "")]
    client.notify("notebookDocument/didOpen", {"notebookDocument": notebook, "cellTextDocuments": texts})


def change(client: RawClient, **cells: Any) -> None:
    notebook = {"uri": NOTEBOOK, "version": 2}
    client.notify("notebookDocument/didChange", {"notebookDocument": notebook, "change": {"cells": cells}})


def offered(client: RawClient, name: str = "here", line: int = 0, character: int = 0) -> list[dict[str, Any]]:
    return client.response(client.inline(line, character, uri=f"cell:{name}"))["result"]["items"]


def test_sync_is_advertised_to_clients_that_have_it() -> None:
    with RawClient.fake() as client:
        capabilities = client.initialize({"notebookDocument": {"synchronization": {}}})["capabilities"]
        [selector] = capabilities["notebookDocumentSync"]["notebookSelector"]
        assert selector == {"notebook": "*", "cells": [{"language": "python"}, {"language": "markdown"}]}
    with RawClient.fake() as client:
        assert "notebookDocumentSync" not in client.initialize()["capabilities"]


def test_markdown_asks_and_positions_are_those_of_the_cell() -> None:
    with RawClient.fake() as client:
        client.initialize()
        open_notebook(client)
        [item] = offered(client)
        assert item["insertText"].startswith("df.sum()  # Total of each;")
        assert item["range"]["start"] == {"line": 0, "character": 0}
        edit = {"range": {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}, "text": "df."}
        change(client, textContent=[{"document": {"uri": "cell:here", "version": 2}, "changes": [edit]}])
        [item] = offered(client, character=3)
        assert item["range"]["end"] == {"line": 0, "character": 3}
        params = {"textDocument": {"uri": "cell:here"}, "position": {"line": 0, "character": 3}}
        popup = client.response(client.request("textDocument/completion", params))["result"]["items"][0]
        assert popup["textEdit"]["range"]["start"] == {"line": 0, "character": 3}


def test_cells_that_come_and_go_count() -> None:
    with RawClient.fake() as client:
        client.initialize()
        open_notebook(client)
        assert offered(client)
        change(client, structure={"array": {"start": 0, "deleteCount": 1}, "didClose": [{"uri": "cell:imports"}]})
        assert offered(client) == []
        array = {"start": 0, "deleteCount": 0, "cells": [cell("again")]}
        change(client, structure={"array": array, "didOpen": [text("again", "import numpy as np")]})
        assert offered(client)
        change(client, data=[cell("again", MARKDOWN)])
        assert offered(client) == []


def test_closed_notebook_is_forgotten() -> None:
    with RawClient.fake() as client:
        client.initialize()
        open_notebook(client)
        assert offered(client)
        documents = [{"uri": f"cell:{name}"} for name in ("imports", "asked", "here")]
        client.notify(
            "notebookDocument/didClose", {"notebookDocument": {"uri": NOTEBOOK}, "cellTextDocuments": documents}
        )
        assert offered(client) == []
        change(client, structure={"array": {"start": 0, "deleteCount": 1}})
        client.open(uri="cell:here")
        assert offered(client, line=2, character=22)


def test_cell_has_the_settings_of_its_notebooks_folder() -> None:
    with RawClient.fake() as client:
        client.answers["workspace/configuration"] = lambda params: [None, {"candidates": 2}]
        client.initialize({"workspace": {"configuration": True}}, folders=("file:///one",))
        open_notebook(client)
        assert len(client.response(client.inline(0, 0, "cell:here", kind=1))["result"]["items"]) == 2
