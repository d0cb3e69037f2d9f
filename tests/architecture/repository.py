"""The files of this checkout that belong to the project."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("cert_lsp", "trainer", "export", "evals", "benchmarks")


@cache
def tracked_files() -> tuple[Path, ...]:
    """What git tracks, absolute and existing; submodules and links are left out."""
    git = ["git", "-c", "safe.directory=*", "ls-files", "-z"]  # the checkout may belong to another user, as in CI
    listing = subprocess.run(git, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    files = (ROOT / name for name in listing.decode().split("\0") if name)
    return tuple(file for file in files if file.is_file() and not file.is_symlink())


def modules() -> list[Path]:
    """The Python modules outside the tests, relative to the checkout."""
    return [
        file.relative_to(ROOT)
        for file in tracked_files()
        if file.suffix == ".py" and file.relative_to(ROOT).parts[0] in PACKAGES
    ]
