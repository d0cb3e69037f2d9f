"""Which pandas and NumPy a project uses, told from its files; nothing of it is run or imported.

Looked at, from a document's folder upwards: the names of what is installed in the folder's environment (``.venv`` and
the like), then the active one of the server (``VIRTUAL_ENV``, ``CONDA_PREFIX``), then lock files, then requirements. A
range of versions counts as its upper end; one that is open above tells nothing. Answers are kept for a minute. For a
thread that may wait for a disk, not for the event loop.
"""

import os
import re
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from urllib.parse import unquote, urlparse

from cert_lsp.engine.api_index import UNKNOWN, Versions

_LIBRARIES = ("pandas", "numpy")
_ENVIRONMENTS = (".venv", "venv", "env", ".env", ".pixi/envs/default")
_ACTIVE = ("VIRTUAL_ENV", "CONDA_PREFIX")
_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml", "pixi.lock", "Pipfile.lock", "conda-lock.yml")
_REQUIREMENTS = (
    "requirements*.txt",
    "requirements/*.txt",
    "environment*.y*ml",
    "pyproject.toml",
    "pixi.toml",
    "Pipfile",
)
_LEVELS = 8
_LARGEST = 4_000_000  # bytes read of one file
_MOST_INSTALLED = 20_000
_MOST_FILES = 20
_SECONDS = 60.0

_LOCKED = {
    library: re.compile(
        rf'name\s*[=:]\s*"?{library}"?\s*\n\s*version\s*[=:]\s*"?(\d[\d.]*)'  # TOML and YAML
        rf'|/{library}-(\d+(?:\.\d+)+)-|"{library}":\s*\{{[^}}]*?"version":\s*"==(\d[\d.]*)'  # conda, Pipfile.lock
    )
    for library in _LIBRARIES
}
_REQUIRED = {
    library: re.compile(
        rf"""^[ \t"'-]*{library}(?:\[[^\]\n]*\])?["']?[ \t]*(?:=[ \t]*["'])?[ \t]*"""
        r"""((?:[=<>~!^]{1,3}[ \t]*[\d.*]+[ \t]*,?[ \t]*)+)""",
        re.MULTILINE,
    )
    for library in _LIBRARIES
}
_BARE = re.compile(r"""(?<=["'])(?=\d[\d.]*["'])""")  # pandas = "2.2.3", as Poetry and pixi have it
_CONDITION = re.compile(r"([=<>~!^]{1,3})[ \t]*([\d.]+)")
_kept: dict[tuple[str, ...], tuple[float, Versions]] = {}


def versions_for(uri: str) -> Versions:
    """Return what the project of a document uses; nothing for a document that is no file."""
    path = unquote(urlparse(uri).path)
    if re.match(r"/[A-Za-z]:/", path):
        path = path[1:]  # Windows
    if not Path(path).is_absolute() or "\0" in path:
        return UNKNOWN
    folder = str(Path(path).parent)
    key = folder, *(os.environ.get(name, "") for name in _ACTIVE)
    now = time.monotonic()
    if key not in _kept or now - _kept[key][0] > _SECONDS:
        _kept[key] = now, find_versions(Path(folder))
    return _kept[key][1]


def find_versions(folder: Path) -> Versions:
    """Look for the versions from `folder` upwards."""
    found: dict[str, str] = {}
    for told in _sources([folder, *islice(folder.parents, _LEVELS)]):
        for library, version in told.items():
            found.setdefault(library, version)
        if len(found) == len(_LIBRARIES):
            break
    return Versions(**found)


def _sources(folders: list[Path]) -> Iterator[dict[str, str]]:
    """What each place tells, the surest first."""
    for folder in folders:
        for name in _ENVIRONMENTS:
            yield _installed(folder / name)
    for name in _ACTIVE:
        if active := os.environ.get(name):
            yield _installed(Path(active))
    for folder in folders:
        for name in _LOCKS:
            text = _read(folder / name)
            matches = {library: pattern.search(text) for library, pattern in _LOCKED.items()} if text else {}
            yield {library: next(filter(None, match.groups())) for library, match in matches.items() if match}
    for folder in folders:
        for pattern in _REQUIREMENTS:
            yield from (_required(_read(file)) for file in islice(_files(folder, pattern), _MOST_FILES))


def _installed(environment: Path) -> dict[str, str]:
    """What an environment holds, by the names of its folders alone."""
    found: dict[str, str] = {}
    for packages in [*_files(environment, "lib/python*/site-packages"), environment / "Lib" / "site-packages"]:
        try:
            with os.scandir(packages) as entries:
                names = [entry.name for entry in islice(entries, _MOST_INSTALLED)]
        except OSError:
            continue
        for name in names:
            match = re.fullmatch(r"(pandas|numpy)-(\d+(?:\.\d+)*)[^-]*\.(?:dist|egg)-info", name)
            if match:
                found[match[1]] = match[2]
    return found


def _required(text: str) -> dict[str, str]:
    """The upper ends of what a file of requirements allows."""
    found: dict[str, str] = {}
    entries = _BARE.sub("==", text.replace('", "', '"\n"').replace('["', '\n"'))
    for library, pattern in _REQUIRED.items():
        for match in pattern.finditer(entries):
            if version := _upper_end(match[1]):
                found[library] = version
                break
    return found


def _upper_end(conditions: str) -> str | None:
    """The newest release that conditions such as ``>=2.0,<3`` allow; None if they are open above."""
    for operator, version in _CONDITION.findall(conditions):
        numbers = version.strip(".").split(".")
        match operator:
            case "==" | "===" | "=" | "<=":
                return ".".join(numbers)
            case "<":
                numbers = [*numbers, *["0"] * (2 - len(numbers))]
                while numbers and int(numbers[-1]) == 0:
                    numbers.pop()
                return ".".join([*numbers[:-1], str(int(numbers[-1]) - 1), "9999"]) if numbers else None
            case "~=":
                return ".".join(numbers[:-1] or numbers)
            case "^":
                return numbers[0]
            case _:
                pass
    return None


def _files(folder: Path, pattern: str) -> list[Path]:
    try:
        return sorted(folder.glob(pattern))
    except OSError:
        return []


def _read(file: Path) -> str:
    try:
        with file.open(encoding="utf-8", errors="replace") as content:
            return content.read(_LARGEST)
    except OSError:
        return ""
