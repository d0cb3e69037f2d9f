"""The environment that samples run in: Python 3.11 with pandas 1.5.3 and NumPy 1.23.5, pinned in requirements.txt.

PandasEval and NumpyEval were written for that pandas: under it 91 and 99 of their 101 tasks have a listed solution that
passes, under pandas 3 it is 82 and 94. A score means something only beside the versions it was measured with. The
environment is a plain venv in the user's cache folder, made once; its name carries a hash of the pins, so new pins make
a new one.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from cert_lsp.errors import EvalError

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
PYTHON = "3.11"


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/cert-lsp`, or `~/.cache/cert-lsp`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cert-lsp"


def pinned_python(cache: Path | None = None, *, force: bool = False) -> Path:
    """The pinned environment's interpreter; makes the environment first (about 20 s, 200 MB) if it is not there.

    Args:
        cache: The folder that holds environments; `cache_folder()` if None.
        force: Make it anew even if it is there.

    Raises:
        EvalError: There is no Python 3.11, or the packages cannot be installed.
    """
    cache = cache or cache_folder()
    folder = cache / f"evals-{hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]}"
    if force:
        shutil.rmtree(folder, ignore_errors=True)
    if not folder.exists():
        try:
            _make(folder)
        except OSError as error:
            raise EvalError(
                f"The pinned environment cannot be made in {cache}: {error}",
                "Nothing can be scored",
                "Make room, or name another cache folder by the variable XDG_CACHE_HOME",
            ) from error
    return folder / "bin" / "python"


def find_python() -> Path:
    """A Python 3.11 that can make environments: the running one, or one on PATH.

    Raises:
        EvalError: There is none.
    """
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    for candidate in (sys.executable, *(shutil.which(f"python{PYTHON}", path=folder) for folder in folders)):
        if candidate and _is_wanted(candidate):
            return Path(candidate)
    raise EvalError(
        f"No Python {PYTHON} that can make virtual environments is on PATH",
        "The suites are scored with pandas 1.5.3, which needs that version",
        f"Install it (Debian: python{PYTHON} python{PYTHON}-venv), or name an interpreter that has pandas by --python",
    )


def _is_wanted(candidate: str) -> bool:
    code = f"import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != ({PYTHON.replace('.', ', ')}))"
    try:
        return subprocess.run([candidate, "-c", code], capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _make(folder: Path) -> None:
    """Makes the environment elsewhere and moves it into place, so that a folder of that name is always complete."""
    base = find_python()
    sys.stderr.write(f"Making the pinned environment in {folder} ...\n")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="making-", ignore_cleanup_errors=True) as partial:
        install = ["-m", "pip", "install", "--quiet", "--only-binary=:all:", "--requirement", REQUIREMENTS]
        for command in ([base, "-m", "venv", "venv"], ["venv/bin/python", *install]):
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=partial)
            if done.returncode != 0:
                raise EvalError(
                    f"The pinned environment cannot be made: {done.stdout.strip().rpartition(chr(10))[2]}",
                    "Nothing can be scored",
                    "Look at the network and the disk, then run 'python -m evals env' again",
                )
        try:
            Path(partial, "venv").rename(folder)
        except OSError:
            if not folder.exists():  # it does if another run was faster
                raise
