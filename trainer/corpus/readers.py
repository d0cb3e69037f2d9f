"""Stream documents out of source distributions (tar, zip, wheel) and folders; nothing is unpacked to disk or run.

A document is one text file that may hold pairs: Python, notebook, reStructuredText or Markdown. Files that cannot be
read as text are counted by reason and passed over.
"""

from __future__ import annotations

import os
import re
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from cert_lsp.errors import CorpusError

MAX_BYTES = 4_000_000
"""Larger files are data or generated code."""

_FORMATS = {".py": "python", ".pyx": "cython", ".ipynb": "notebook", ".rst": "rst", ".md": "markdown"}
_GENERATED = re.compile(r"(^|/)(setup|__init__|conf|versioneer|_version)\.py$|_pb2\.py$")
_OBSOLETE = re.compile(r"(^|/)(whatsnew/v0\.|neps/|release/|changelog/|CHANGE)")
_SKIPPED_FOLDERS = {".git", ".hg", ".tox", ".venv", "venv", "node_modules", "site-packages", "__pycache__", "build"}
_TEST = re.compile(r"(^|/)(tests?|testing|conftest\.py|test_[^/]*|[^/]*_test\.py|asv_bench|benchmarks)(/|$)")


@dataclass(frozen=True)
class Document:
    """One text file.

    Attributes:
        path: Its place inside the distribution or folder, with forward slashes.
        text: Its content, lines ended by newline characters alone.
        format: python, cython, notebook, rst or markdown.
        own: As of its source.
    """

    path: str
    text: str
    format: str
    own: bool = False

    @property
    def is_test(self) -> bool:
        """Whether the file tests or measures rather than uses."""
        return bool(_TEST.search(self.path))


@dataclass(frozen=True)
class Source:
    """Where documents come from: a distribution file or a folder.

    Attributes:
        name: The package's or folder's name, for reports.
        path: The archive or the folder.
        heldout: Whether all of it is kept for evaluation.
        members: Of a folder, the files to read, relative to it, with forward slashes; None: all that are fit.
        own: Whether it is the code of those whom the model is for. Of a stranger's code only what any user of pandas
            and NumPy would write is worth reading; of one's own all that says what it does.
    """

    name: str
    path: Path
    heldout: bool = False
    members: tuple[str, ...] | None = None
    own: bool = False


def read(source: Source, drops: Counter[str]) -> Iterator[Document]:
    """Yield the source's documents in a fixed order, adding what cannot be read to `drops`.

    Raises:
        CorpusError: The source is missing, or is neither a folder nor an archive.
    """
    for path, data in _members(source):
        if len(data) > MAX_BYTES:
            drops["file: too large"] += 1
            continue
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            drops["file: not UTF-8"] += 1
            continue
        if "\0" in text:
            drops["file: binary"] += 1
            continue
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        yield Document(path, text, _FORMATS[PurePosixPath(path).suffix], source.own)


def licence(source: Source) -> str:
    """Name the licence that a distribution declares, or the empty string."""
    if source.path.is_dir():
        return ""
    for path, data in _members(source, wanted=lambda name: name.endswith(("/PKG-INFO", ".dist-info/METADATA"))):
        if path.count("/") > 1:
            continue
        header = data.decode("utf-8", errors="replace").partition("\n\n")[0]
        for pattern in (r"^License-Expression: (.+)$", r"^Classifier: License :: (?:OSI Approved :: )?(.+)$"):
            if found := re.search(pattern, header, re.MULTILINE):
                return found[1].strip()
        found = re.search(r"^License: (.{1,80})$", header, re.MULTILINE)
        return found[1].strip() if found else ""
    return ""


def _wanted(path: str) -> bool:
    return PurePosixPath(path).suffix in _FORMATS and not (_GENERATED.search(path) or _OBSOLETE.search(path))


def _members(source: Source, wanted=_wanted) -> Iterator[tuple[str, bytes]]:
    """Yield (path, content) of the wanted files."""
    path = source.path
    if path.is_dir():
        yield from _folder_members(path, members(source), wanted)
    elif not path.exists():
        raise CorpusError(f"{path} does not exist", "there is nothing to read", "check the path")
    elif tarfile.is_tarfile(path):
        with tarfile.open(path) as archive:
            for member in archive:
                if member.isfile() and wanted(member.name):
                    stream = archive.extractfile(member)
                    if stream is not None:
                        yield member.name, stream.read(MAX_BYTES + 1)
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if wanted(name):
                    with archive.open(name) as stream:
                        yield name, stream.read(MAX_BYTES + 1)
    else:
        raise CorpusError(
            f"{path} is neither a folder nor an archive",
            "it cannot be read as a source of code",
            "pass a folder, or a .tar.gz, .zip or .whl file",
        )


def _folder_members(folder: Path, named: Iterable[str], wanted) -> Iterator[tuple[str, bytes]]:
    for relative in named:
        path = folder / relative
        if not wanted(relative):
            continue
        try:
            if path.is_symlink() or not path.is_file():
                continue
            with path.open("rb") as stream:
                yield relative, stream.read(MAX_BYTES + 1)
        except OSError:
            yield relative, b"\xff"  # counted with the files that are not text


def members(source: Source) -> Iterator[str]:
    """Yield a folder's files that may hold pairs, folder by folder, in the order of their names."""
    if source.members is not None:
        yield from source.members
    else:
        yield from _walk(source.path, "")


def _walk(folder: Path, before: str) -> Iterator[str]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name in _SKIPPED_FOLDERS or entry.is_symlink():
            continue
        if entry.is_dir():
            yield from _walk(folder / entry.name, f"{before}{entry.name}/")
        elif _wanted(before + entry.name):
            yield before + entry.name
