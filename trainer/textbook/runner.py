"""Runs inside the sandbox: programs on standard input, one JSON a line; verdicts on standard output.

Standard library, pandas and NumPy only: this file is started by other interpreters than ours.
A program is {"program", "setup", "same", "gone", "holds", "answer", "files"}; a verdict {"ok", "reason", "text"}.
"""

import ast
import contextlib
import io
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

_SECONDS = 4


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
    resource.setrlimit(resource.RLIMIT_FSIZE, (16 << 20, 16 << 20))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def _execute(source: str, answer: str | None) -> tuple[dict, object]:
    tree = ast.parse(source)
    if answer is None and isinstance(tree.body[-1], ast.Expr):
        last = tree.body[-1]
        tree.body[-1] = ast.Assign([ast.Name("_answer", ast.Store())], last.value)
        ast.fix_missing_locations(tree)
    answer = answer or "_answer"
    names: dict = {"__name__": "__sample__"}
    exec(compile(tree, "<sample>", "exec"), names)
    return names, eval(answer, names)


def _same(left, right) -> bool:
    kinds = (pd.DataFrame, pd.Series, pd.Index)
    if any(isinstance(left, kind) and isinstance(right, kind) for kind in kinds):
        if left.shape != right.shape:
            return False
        if isinstance(left, pd.DataFrame) and [str(c) for c in left.columns] != [str(c) for c in right.columns]:
            return False
        if not isinstance(left, pd.Index) and not _same(left.index, right.index):
            return False
        return _same(left.to_numpy(dtype=object), right.to_numpy(dtype=object))
    if isinstance(left, dict) and isinstance(right, dict):
        return [*map(str, left)] == [*map(str, right)] and all(_same(left[k], right[k]) for k in left if k in right)
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(_same(a, b) for a, b in zip(left, right, strict=True))
    if isinstance(left, np.ndarray) or isinstance(right, np.ndarray):
        left, right = np.asarray(left), np.asarray(right)
        return left.shape == right.shape and all(
            _scalar(a, b) for a, b in zip(left.ravel(), right.ravel(), strict=True)
        )
    return _scalar(left, right)


def _scalar(left, right) -> bool:
    if isinstance(left, (list, tuple, dict, set, np.ndarray, pd.DataFrame, pd.Series, str)):
        return (
            _same(left, right)
            if isinstance(left, (list, tuple, np.ndarray))
            else type(left) is type(right) and (left.equals(right) if hasattr(left, "equals") else left == right)
        )
    try:
        if pd.isna(left) and pd.isna(right):
            return True
        return bool(left == right) or bool(np.isclose(left, right))
    except (TypeError, ValueError):
        return str(left) == str(right)


def _judge(job: dict) -> tuple[bool, str, str]:
    for name, text in job["files"].items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
    names, result = _execute(job["program"], job["answer"])
    if result is None:
        return False, "gives None", ""
    text = str(result)
    for same in job["same"]:
        _, other = _execute(job["setup"] + "\n" + same["code"], same["answer"])
        if not _same(result, other):
            return False, "answers differ", f"{text}\n--- {same['code']}\n{other}"
    if job["gone"]:
        with contextlib.suppress(AttributeError, TypeError):
            _, other = _execute(job["setup"] + "\n" + job["gone"], None)
            if not _same(result, other):
                return False, "older code differs", f"{text}\n--- {job['gone']}\n{other}"
    if job["holds"] and not eval(job["holds"], {"np": np, "pd": pd, **names, "result": result}):
        return False, "check fails", text
    return True, "", text


def _alarm(*_) -> None:
    raise TimeoutError


def main() -> None:
    """Judge every line; a program that fails costs only itself."""
    _limit()
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, _alarm)
    os.chdir(tempfile.mkdtemp(prefix="textbook-"))
    here = Path.cwd()
    for line in sys.stdin:
        silent = io.StringIO()
        signal.alarm(_SECONDS)
        try:
            with contextlib.redirect_stdout(silent), contextlib.redirect_stderr(silent):
                ok, reason, text = _judge(json.loads(line))
        except (Exception, SystemExit) as error:
            ok, reason, text = False, type(error).__name__, str(error)[:200]
        finally:
            signal.alarm(0)
        sys.stdout.write(json.dumps({"ok": ok, "reason": reason, "text": text[:1500]}) + "\n")
        sys.stdout.flush()
    shutil.rmtree(here, ignore_errors=True)


main()
