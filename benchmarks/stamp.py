"""Where and with what a run was made, so that its figures mean something."""

import hashlib
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from benchmarks.recording import HERE
from cert_lsp.contract.bundle import MANIFEST

_PACKAGES = ("numpy", "onnxruntime", "onnxruntime-genai", "pygls", "tokenizers", "xllamacpp")


def make_stamp(bundle: Path, threads: int) -> dict[str, object]:
    """Return facts of the machine, the versions, the commit and the load before the run."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _commit(),
        "bundle": bundle.name,
        "bundle_sha256": hashlib.sha256((bundle / MANIFEST).read_bytes()).hexdigest()[:16],
        "cpu": _cpu(),
        "cores": len(psutil.Process().cpu_affinity()) if hasattr(psutil.Process, "cpu_affinity") else os.cpu_count(),
        "threads": threads,
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in _PACKAGES},
        "load_before": load(),
    }


def load() -> float:
    """Return the load average of the last minute; above 1 before a run, other programs disturb it."""
    return round(psutil.getloadavg()[0], 2)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    git = ["git", "-C", str(HERE), "describe", "--always", "--dirty", "--exclude=*"]
    run = subprocess.run(git, capture_output=True, text=True, check=False)
    return run.stdout.strip() or "unknown"


def _cpu() -> str:
    """The processor's name and what matters of its instructions."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.is_file() else []
    facts = dict(reversed([line.partition(":")[::2] for line in lines if ":" in line]))
    facts = {key.strip(): value.strip() for key, value in facts.items()}
    flags = facts.get("flags", "").split()
    sets = [flag for flag in ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8") if flag in flags]
    family = f"family {facts['cpu family']} model {facts['model']}" if "cpu family" in facts else ""
    return ", ".join(part for part in (facts.get("model name", platform.processor()), family, " ".join(sets)) if part)
