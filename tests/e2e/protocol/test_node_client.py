"""Another language's client: Microsoft's own library of the protocol, in the release that the VS Code extension has."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path


def test_session_of_an_independent_client(environment: Path, install: Callable[[str], Path]) -> None:
    editors = install("protocol")
    command = [editors / "node" / "bin" / "node", Path(__file__).with_name("node_client.cjs")]
    run = subprocess.run(
        [*command, environment / "cert-lsp", "serve", "--stdio"],
        env={**os.environ, "NODE_PATH": str(editors / "extension" / "node_modules")},
        stdout=subprocess.PIPE,
        timeout=240,
        check=True,
    )
    said = json.loads(run.stdout)
    assert said["initialized"]["capabilities"]["inlineCompletionProvider"] == {}
    assert said["states"][:2] == ["loading", "ready"]
    assert said["progress"][:2] == ["begin", "end"]
    [item] = said["inline"]["items"]
    assert "groupby" in item["insertText"]
    assert item["range"]["start"] == {"line": 4, "character": 30}
    assert len(said["popup"]["items"]) == 1
    assert said["popup"]["items"][0]["textEdit"]["newText"].startswith("carrier\n")
    assert 1 <= len(said["shown"]["candidates"]) <= 2
    assert all(".median()" in each["code"] for each in said["followed"]["candidates"])
    assert said["followed"]["candidates"]
    assert said["status"]["state"] == "ready"
    assert said["elsewhere"]["items"] == []
    assert said["cancelled"] == -32800
    assert said["code"] == 0
