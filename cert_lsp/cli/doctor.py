"""``cert-lsp doctor``: is everything in order, and what to do where it is not."""

import platform
import sys
from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from cert_lsp import __version__
from cert_lsp.cli.output import write_json
from cert_lsp.contract.bundle import EMBEDDED, verify
from cert_lsp.errors import CertError, RuntimeUnavailableError
from cert_lsp.store import Store

_PACKAGES = ("numpy", "tokenizers", "libcst", "pygls", "lsprotocol", "platformdirs", "watchdog")
_RUNTIMES = ("onnxruntime", "onnxruntime-gpu")
_REINSTALL = "pip uninstall -y onnxruntime onnxruntime-gpu && pip install 'cert-lsp[cpu]' (or [gpu], [gpu13])"


@dataclass(frozen=True, slots=True)
class Check:
    """One finding.

    Attributes:
        name: What was looked at.
        state: ``ok``, or ``failed`` where completions will not work or not be right.
        detail: What was found; for a failure cause, consequence and remedy.
    """

    name: str
    state: Literal["ok", "failed"]
    detail: str


def run(arguments: Namespace) -> int:
    """Print all checks; the exit code is 1 if any of them failed."""
    folder: Path = arguments.model or Store().current() or EMBEDDED
    checks = [
        _check("versions", _versions),
        _check("runtime", _runtime),
        _check("bundle", lambda: _bundle(folder)),
        _check("model", lambda: _model(folder)),
        _check("golden", lambda: _golden(folder)),
    ]
    failed = any(check.state == "failed" for check in checks)
    if arguments.json:
        write_json({"ok": not failed, "checks": [asdict(check) for check in checks]})
    else:
        for check in checks:
            sys.stdout.write(f"{check.state:8}{check.name:10}{check.detail}\n")
    return int(failed)


def _check(name: str, look: Callable[[], str]) -> Check:
    """Take what `look` finds, or its error, as a finding; one failure does not hide the others."""
    try:
        return Check(name, "ok", look())
    except CertError as error:
        return Check(name, "failed", str(error))
    except Exception as error:  # whatever is broken, the report goes on
        return Check(name, "failed", f"{type(error).__name__}: {error}")


def _versions() -> str:
    installed = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return f"cert-lsp {__version__}, Python {platform.python_version()} on {platform.platform()}, {installed}"


def _runtime() -> str:
    """Which distribution of ONNX Runtime is installed; two of them overwrite each other's files."""
    found: dict[str, str] = {}
    for name in _RUNTIMES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    told = " and ".join(f"{name} {number}" for name, number in found.items())
    if not found:
        raise RuntimeUnavailableError("ONNX Runtime is not installed", "no model can run", _REINSTALL)
    if len(found) > 1:
        raise RuntimeUnavailableError(
            f"{told} are both installed", "each has overwritten files of the other", _REINSTALL
        )
    return told


def _bundle(folder: Path) -> str:
    """Versions and every file's hash."""
    manifest = verify(folder)
    size = sum(stamp.bytes for stamp in manifest.files.values()) / 1e6
    return f"{manifest.name} in {folder}: layout {manifest.layout}, {manifest.quantization}, {size:.0f} MB, intact"


def _model(folder: Path) -> str:
    """Load the model; says what it really runs on, which is not what ONNX Runtime was built for."""
    from cert_lsp.engine.pipeline import Engine  # late: without ONNX Runtime the other checks still run

    infos = [runtime.describe() for runtime in Engine.open(folder).runtimes.values()]
    return ", ".join(f"{info.file.name} on {info.provider} with {info.threads} threads" for info in infos)


def _golden(folder: Path) -> str:
    """Replay what the model answered where it was made."""
    from cert_lsp.engine.golden import replay

    return f"{replay(folder)} recorded requests get the recorded answers"
