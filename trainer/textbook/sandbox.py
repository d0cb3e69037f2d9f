"""Runs programs of samples under other interpreters, each batch in a process of its own with limits.

It keeps slips apart from the machine (memory, file size and time limits, an empty working folder, no inherited
environment); it is no defence against hostile code: a team's operations file is code that the team trusts.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from cert_lsp.errors import CorpusError

_RUNNER = Path(__file__).with_name("runner.py")


@dataclass(frozen=True)
class Program:
    """What to run for one sample.

    Attributes:
        program: Head, code and what it takes to get a value out of them.
        setup: Source that builds the inputs alone, for `same`.
        same: Other answers, each {"code", "answer"}, that must give the same value.
        gone: Code of older versions that must give the same value wherever it still runs; empty for none.
        holds: Condition on `result`; empty for none.
        answer: Expression for the value; None for the program's last expression.
        files: Files that the program reads.
    """

    program: str
    setup: str
    same: tuple[dict[str, str | None], ...]
    gone: str
    holds: str
    answer: str | None
    files: dict[str, str]


@dataclass(frozen=True)
class Verdict:
    """Whether a program ran and its checks held; else why not. `text` is the value as printed."""

    ok: bool
    reason: str
    text: str


def run(python: Path, programs: Sequence[Program]) -> list[Verdict]:
    """Run `programs` under the interpreter `python`; one verdict each, in order."""
    if not programs:
        return []
    lines = "\n".join(json.dumps(asdict(program)) for program in programs) + "\n"
    environment = {"PATH": os.environ.get("PATH", ""), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            [python, "-I", "-B", _RUNNER],
            input=lines,
            capture_output=True,
            text=True,
            env=environment,
            timeout=60 + 5 * len(programs),
            check=False,
        )
    except OSError as error:
        raise CorpusError(
            f"the interpreter {python} does not start ({error})",
            "Samples cannot be checked",
            "Give --python a Python that has pandas and NumPy",
        ) from error
    verdicts = [Verdict(**json.loads(line)) for line in done.stdout.splitlines()]
    if not verdicts and done.returncode:
        raise CorpusError(
            f"the sandbox failed under {python}: {done.stderr.strip()[-300:]}",
            "Samples cannot be checked",
            "Give --python a Python that has pandas and NumPy",
        )
    # The program at which the process died is to blame; the ones behind it get another process.
    if len(verdicts) < len(programs):
        verdicts.append(Verdict(False, "process died", done.stderr[-200:]))
        verdicts += run(python, programs[len(verdicts) :])
    return verdicts
