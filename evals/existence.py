"""Does a completion name API that does not exist? Judged twice, by nothing that the engine's own filter uses.

By execution: the program ended in an `AttributeError` of pandas or NumPy, or in an unexpected keyword. That misses
what is never reached. By type stubs (pandas-stubs, and the types that NumPy ships), read by pyright: an attribute that
the type does not have, or a keyword that no function of that name has, on a line of the completion. That misses what
has no known type, and knows one version, the newest. Any attribute of a frame may be a column: one that is called not.
"""

import ast
import json
import re
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cert_lsp.errors import EvalError
from evals.sandbox import Outcome

_OWNERS = (
    r"DataFrame|Series|\w*Index|ndarray|recarray|matrix|MaskedArray|\w*GroupBy|Rolling|Expanding|\w*Resampler|Timestamp"
    r"|Timedelta|Period|Interval|Categorical|\w+Array|\w*Properties|StringMethods|\w+Accessor|_?[iI]?LocIndexer|_?iAtIndexer"
    r"|numpy\.\w+|Generator|RandomState|poly1d"
)
_NO_ATTRIBUTE = re.compile(
    rf"(?:module '(?:pandas|numpy)[\w.]*'|'(?:{_OWNERS})' object|type object '(?:{_OWNERS})') has no attribute '(\w+)'"
)
_NO_KEYWORD = re.compile(r"unexpected keyword argument '(\w+)'")
_RULES = {"reportAttributeAccessIssue", "reportCallIssue"}
_STUBBED = re.compile(
    r"is not a known attribute of module \"(pandas|numpy)"
    rf"|Cannot access attribute \"\w+\" for class \"(type\[)?(pandas\.|numpy\.)?({_OWNERS}|_Array\w+|NDArray)[\[\"\]]"
    r"|Object of type \"Series\[.*is not callable|No parameter named"
)
_NO_OVERLOAD = re.compile(r'No overloads for "(\w+)"')
_STUBS = ("pandas-stubs", "numpy")


def fails_for_missing_api(outcome: Outcome, completion: str) -> bool:
    """Whether a program ended because pandas or NumPy lack an attribute or a keyword that its completion names."""
    told = {"AttributeError": _NO_ATTRIBUTE, "TypeError": _NO_KEYWORD}.get(outcome.kind)
    missing = told.search(outcome.message) if told else None
    return bool(missing and re.search(rf"\b{missing[1]}\b", completion))


def stubs_version() -> str:
    """The version of pandas-stubs that this interpreter has; empty if none."""
    try:
        return version("pandas-stubs")
    except PackageNotFoundError:
        return ""


def faulted_by_stubs(programs: Mapping[str, tuple[str, str]]) -> set[str]:
    """The keys of the programs whose completion names API that the stubs do not have.

    Args:
        programs: Key -> (prompt, completion).

    Raises:
        EvalError: pyright cannot be run.
    """
    keys = list(programs)
    first_lines = [programs[key][0].count("\n") for key in keys]
    with tempfile.TemporaryDirectory(prefix="evals-stubs-") as scratch:
        for number, key in enumerate(keys):
            Path(scratch, f"p{number}.py").write_text("".join(programs[key]) + "\n", encoding="utf-8")
        settings = {"typeCheckingMode": "basic", "pythonVersion": "3.11", "include": ["."]}
        Path(scratch, "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "pyright",
            "--outputjson",
            "--pythonpath",
            sys.executable,
            "--project",
            scratch,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        diagnostics = json.loads(done.stdout)["generalDiagnostics"]
    except (ValueError, KeyError) as error:
        raise EvalError(
            f"pyright gave no answer: {(done.stderr or done.stdout).strip()[-300:]}",
            "Names that do not exist cannot be judged by stubs",
            "Install the extra evals: pip install '.[evals]'",
        ) from error
    found: set[str] = set()
    for one in diagnostics:
        number, line = int(Path(one["file"]).stem[1:]), one["range"]["start"]["line"]
        if one.get("rule") not in _RULES or line < first_lines[number]:
            continue
        overloaded = _NO_OVERLOAD.search(one["message"])
        if _STUBBED.search(one["message"]) or (
            overloaded and _unknown_keywords("".join(programs[keys[number]]), line + 1, overloaded[1])
        ):
            found.add(keys[number])
    return found


def _unknown_keywords(program: str, line: int, function: str) -> set[str]:
    """The keywords of a call that no function of that name has in any stub."""
    try:
        calls = [node for node in ast.walk(ast.parse(program)) if isinstance(node, ast.Call)]
    except SyntaxError:
        return set()
    given = {
        keyword.arg
        for call in calls
        if call.lineno <= line <= (call.end_lineno or line) and getattr(call.func, "attr", "") == function
        for keyword in call.keywords
        if keyword.arg
    }
    known = _parameters(function)
    return set() if known is None else given - known


@cache
def _parameters(function: str) -> frozenset[str] | None:
    """All parameters of the functions of a name in the stubs; None if one of them takes any keyword."""
    names: set[str] = set()
    for package in _STUBS:
        for path in Path(sysconfig.get_path("purelib"), package).rglob("*.pyi"):
            text = path.read_text(encoding="utf-8")
            if f"def {function}(" not in text:
                continue
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef) and node.name == function:
                    if node.args.kwarg:
                        return None
                    names |= {a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)}
    return frozenset(names)
