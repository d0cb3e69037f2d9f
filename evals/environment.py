"""The environment that samples run in: Python 3.11 with pandas 1.5.3 and NumPy 1.23.5, pinned in requirements.txt.

PandasEval and NumpyEval were written for that pandas: under it 91 and 99 of their 101 tasks have a listed solution that
passes, under pandas 3 it is 82 and 94. A score means something only beside the versions it was measured with. The
environment is a plain venv in the user's cache folder, made once; its name carries a hash of the pins, so new pins make a
new one.
"""

import fcntl
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
STAMP = "complete"


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
    python = folder / "bin" / "python"
    if (folder / STAMP).exists() and not force:
        return python
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "evals.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if force or not (folder / STAMP).exists():  # another run may have made it while this one waited
            _make(folder, python)
    return python


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


def _make(folder: Path, python: Path) -> None:
    sys.stderr.write(f"Making the pinned environment in {folder} ...\n")
    install = ["-m", "pip", "install", "--quiet", "--only-binary=:all:", "--requirement", str(REQUIREMENTS)]
    with tempfile.TemporaryDirectory() as elsewhere:  # so that no module of the current folder shadows one of theirs
        for command in ([find_python(), "-m", "venv", "--clear", folder], [python, *install]):
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=elsewhere)
            if done.returncode != 0:
                raise EvalError(
                    f"The pinned environment cannot be made: {done.stdout.strip().rpartition(chr(10))[2]}",
                    "Nothing can be scored",
                    "Look at the network and the disk, then run 'python -m evals env' again",
                )
    (folder / STAMP).touch()
