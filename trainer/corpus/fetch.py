"""Bring the pinned source distributions of `packages.txt`, without running any code of theirs.

`pip download` asks each source distribution's build backend for metadata, which would run that package's code (and
compile some of it). So pip runs in a throw-away environment in which the one script that talks to backends answers
from the PKG-INFO file that every source distribution carries. What comes is checked against `packages.lock`
(SHA-256; written on the first fetch). A package that fails is reported and left out; a second run fetches only what is
missing.
"""

from __future__ import annotations

import hashlib
import logging
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from cert_lsp.errors import CorpusError

log = logging.getLogger(__name__)

HERE = Path(__file__).parent
PACKAGES = HERE / "packages.txt"
LOCK = HERE / "packages.lock"

# Replaces pip's `_in_process.py`: same command line (hook, control folder) and same files, but no backend is imported.
_HOOK_RUNNER = """
import json, pathlib, sys

hook, control = sys.argv[1], pathlib.Path(sys.argv[2])
arguments = json.loads((control / "input.json").read_text())["kwargs"]
answer = []
if hook == "prepare_metadata_for_build_wheel":
    metadata = pathlib.Path("PKG-INFO").read_text(encoding="utf-8", errors="replace")
    fields = dict(line.split(": ", 1) for line in metadata.split("\\n\\n")[0].splitlines() if ": " in line)
    answer = fields["Name"].replace("-", "_") + "-" + fields["Version"] + ".dist-info"
    folder = pathlib.Path(arguments["metadata_directory"]) / answer
    folder.mkdir()
    (folder / "METADATA").write_text(metadata, encoding="utf-8")
(control / "output.json").write_text(json.dumps({"return_val": answer}))
"""


@dataclass(frozen=True)
class Package:
    """One line of `packages.txt`."""

    name: str
    version: str
    heldout: bool = False
    wheel: str = ""

    @property
    def pin(self) -> str:
        """The requirement as pip and the lock file write it."""
        return f"{self.name}=={self.version}"


def read_packages(path: Path = PACKAGES) -> list[Package]:
    """Read a package list; raises CorpusError for a line that is not `NAME==VERSION [heldout] [wheel=PYTHON]`."""
    packages: list[Package] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        words = line.split("#")[0].split()
        if not words:
            continue
        name, equals, version = words[0].partition("==")
        wheel = next((word[6:] for word in words[1:] if word.startswith("wheel=")), "")
        if not equals or not version or set(words[1:]) - {"heldout", f"wheel={wheel}"}:
            raise CorpusError(
                f"{path.name}, line {number}: {line!r} is not a pinned package",
                "the corpus cannot be reproduced from it",
                "write NAME==VERSION, then 'heldout' or 'wheel=3.9' if they apply",
            )
        packages.append(Package(name, version, "heldout" in words, wheel))
    return packages


def choose(names: Iterable[str] | None) -> list[Package]:
    """The pinned packages, or those of them that are named; raises CorpusError for a name that is not pinned."""
    packages = read_packages()
    if not names:
        return packages
    wanted = set(names)
    if unknown := wanted - {package.name for package in packages}:
        raise CorpusError(
            f"not among the pinned packages: {', '.join(sorted(unknown))}",
            "no version of it has been looked at for licence and quality",
            f"choose from {PACKAGES.name}, add a line NAME==VERSION there, or pass its folder by --folder",
        )
    return [package for package in packages if package.name in wanted]


def read_lock(path: Path = LOCK) -> dict[str, tuple[str, str]]:
    """Map each pin to (file name, SHA-256)."""
    if not path.exists():
        return {}
    rows = (line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    return {pin: (file, digest) for pin, file, digest in rows}


def sha256(path: Path) -> str:
    """Hash a file without reading it whole."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def fetch(packages: Iterable[Package], folder: Path, *, lock: Path = LOCK) -> Iterator[tuple[Package, Path]]:
    """Yield each package with its distribution's path, downloading what `folder` lacks.

    A package that cannot be had is logged and skipped. Raises CorpusError when a file differs from the lock.
    """
    folder.mkdir(parents=True, exist_ok=True)
    known = read_lock(lock)
    pip: Path | None = None
    with tempfile.TemporaryDirectory(prefix="cert-fetch-") as scratch:
        for package in tqdm(list(packages), desc="fetch", unit="package"):
            path = folder / known[package.pin][0] if package.pin in known else None
            if path is None or not path.exists():
                pip = pip or _stub_environment(Path(scratch) / "env")
                path = _download(pip, package, folder)
                if path is None:
                    continue
            digest = sha256(path)
            if package.pin not in known:
                known[package.pin] = (path.name, digest)
                lock.write_text("".join(f"{pin} {file} {sha}\n" for pin, (file, sha) in sorted(known.items())))
            elif known[package.pin] != (path.name, digest):
                raise CorpusError(
                    f"{path} is not the file that {lock.name} names for {package.pin}",
                    "a corpus made of it would not be the recorded one",
                    f"delete {path.name} and fetch again; if it differs again, find out what changed upstream",
                )
            yield package, path


def _download(python: Path, package: Package, folder: Path) -> Path | None:
    """Run pip for one package in a folder of its own, so that an interrupted download leaves nothing behind."""
    kind = (
        ["--only-binary=:all:", "--python-version", package.wheel]
        if package.wheel
        else ["--no-binary=:all:", "--use-pep517", "--no-build-isolation", "--ignore-requires-python"]
    )
    with tempfile.TemporaryDirectory(prefix=".download-", dir=folder) as scratch:
        command = [python, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir", *kind]
        done = subprocess.run(
            [*map(str, command), "--dest", scratch, package.pin], capture_output=True, text=True, check=False
        )
        files = list(Path(scratch).iterdir())
        if done.returncode or len(files) != 1:
            reason = (done.stderr.strip().splitlines() or ["no file came"])[-1]
            log.warning("%s left out: %s", package.pin, reason)
            return None
        return files[0].replace(folder / files[0].name)


def _stub_environment(folder: Path) -> Path:
    """Make an environment whose pip asks no build backend; return its Python."""
    venv.create(folder, with_pip=True)
    runners = list(folder.rglob("pyproject_hooks/**/_in_process.py"))
    if len(runners) != 1:
        raise CorpusError(
            f"the pip that comes with Python {sys.version.split()[0]} keeps its hook runner somewhere else",
            "source distributions cannot be fetched without running their code",
            "use Python 3.11, or put the distributions into a folder yourself and pass it as --sdists",
        )
    runners[0].write_text(_HOOK_RUNNER, encoding="utf-8")
    return folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
