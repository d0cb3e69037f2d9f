"""What the documents tell people to type exists."""

import re
import shlex
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.repository import PACKAGES, ROOT, tracked_files

DOCUMENTS = [file.relative_to(ROOT) for file in tracked_files() if file.suffix == ".md"]
SHELL = re.compile(r"^```(?:sh|bash|console)\n(.*?)^```", re.M | re.S)
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


def commands(document: Path) -> list[list[str]]:
    """The simple commands of a document's shell blocks, as words, without prompts, redirections and continuations."""
    found = []
    for block in SHELL.findall((ROOT / document).read_text(encoding="utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            for part in re.split(r"&&|\|\||[|;]", line.removeprefix("$ ")):
                words = shlex.split(part, comments=True)
                while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                    words.pop(0)
                if words:
                    found.append(words)
    return found


OURS = {
    (str(document), " ".join(words)): words
    for document in DOCUMENTS
    for words in commands(document)
    if words[0] == "cert-lsp" or (words[:2] == ["python", "-m"] and words[2].partition(".")[0] in PACKAGES)
}


@cache
def help_text(*program: str) -> str:
    run = subprocess.run([*program, "--help"], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.parametrize("words", OURS.values(), ids=[f"{document}: {line}" for document, line in OURS])
def test_command_exists(words: list[str]) -> None:
    program = [sys.executable, "-m", "cert_lsp"] if words[0] == "cert-lsp" else [sys.executable, *words[1:3]]
    arguments = words[1:] if words[0] == "cert-lsp" else words[3:]
    if arguments and re.fullmatch(r"[a-z]+", arguments[0]):
        program.append(arguments.pop(0))
    known = help_text(*program)
    for option in arguments:
        if re.match(r"--?[a-z]", option):
            assert re.search(rf"{re.escape(option.partition('=')[0])}\b", known), f"{option} is not in\n{known}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_links_lead_somewhere(document: Path) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    assert not [link for link in LINK.findall(text) if not (ROOT / document.parent / link).exists()]


def test_extras_of_the_readme_exist() -> None:
    named = set(re.findall(r"\.\[([\w,]+)\]", (ROOT / "README.md").read_text(encoding="utf-8")))
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert named
    assert {name for group in named for name in group.split(",")} <= set(extras)


def test_first_command_completes_a_comment() -> None:
    place = re.search(r"cert-lsp complete (\S+):(\d+)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert place
    line = (ROOT / place[1]).read_text(encoding="utf-8").splitlines()[int(place[2]) - 1]
    assert line.lstrip().startswith("#")
