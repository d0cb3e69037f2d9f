"""Suites of programming tasks in the format of PandasEval and NumpyEval (Zan et al., IJCAI 2022).

A suite is a JSON Lines file, one task a line: `task_id`, `prompt` (code up to the cursor), `entry_point` (`none`, or
the function that is handed to `check`), `canonical_solution` (a list of accepted texts), `test` (code that defines
`check`) and, optionally, `satisfiable` (false for a task that no natural completion can meet; true if absent), `intent`
(the words that state the task), `source` (the package that it comes from, with its version), `unseen` (whether no
training text comes from that package) and `holds` (the versions under which its own solution passes; any if absent).
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cert_lsp.errors import EvalError

STOPS = ("\nclass", "\ndef", "\n#", "\n@", "\nprint", "\nif")


@dataclass(frozen=True)
class Task:
    """One task; the fields are those of the file."""

    task_id: str
    prompt: str
    entry_point: str
    canonical_solution: tuple[str, ...]
    test: str
    satisfiable: bool = True
    intent: str = ""
    source: str = ""
    unseen: bool = False
    holds: tuple[str, ...] = ()

    def program(self, completion: str) -> str:
        """The code that runs without an exception if, and only if, `completion` solves the task."""
        argument = "" if self.entry_point == "none" else self.entry_point
        return f"{self.prompt}{completion}\n{self.test}\ncheck({argument})\n"


@dataclass(frozen=True)
class Suite:
    """The tasks of one file; `name` is the file's name without `.jsonl`, `sha256` that of its bytes."""

    name: str
    sha256: str
    tasks: tuple[Task, ...]


def cut(completion: str) -> str:
    """The completion up to the first text that starts a new top-level part (the paper's rule)."""
    return completion[: min((at for stop in STOPS if (at := completion.find(stop)) >= 0), default=len(completion))]


def load_suites(paths: Sequence[Path]) -> list[Suite]:
    """Reads suites whose names and task ids do not clash.

    Raises:
        EvalError: A file cannot be read, is not in the format, or clashes with another.
    """
    suites = [load_suite(path) for path in paths]
    seen: dict[str, str] = {}
    for suite in suites:
        for task in suite.tasks:
            if task.task_id in seen:
                raise EvalError(
                    f"Task {task.task_id!r} is in suite {seen[task.task_id]!r} and again in {suite.name!r}",
                    "Samples are joined to tasks by that id",
                    "Give every task an id of its own",
                )
            seen[task.task_id] = suite.name
    return suites


def load_suite(path: Path) -> Suite:
    """Reads one suite.

    Raises:
        EvalError: The file cannot be read, holds no task, or a line of it is not a task.
    """
    try:
        content = path.read_bytes()
        lines = content.decode().split("\n")  # not splitlines: a JSON string may hold U+2028
    except (OSError, UnicodeDecodeError) as error:
        raise EvalError(
            f"Suite {path} cannot be read: {error}", remedy="Name a JSON Lines file of tasks, see evals/README.md"
        ) from error
    tasks = tuple(_task(line, f"{path}, line {number}") for number, line in enumerate(lines, 1) if line.strip())
    if not tasks:
        raise EvalError(f"Suite {path} holds no task", "There is nothing to score", "Name another file")
    return Suite(path.name.removesuffix(".jsonl"), hashlib.sha256(content).hexdigest(), tasks)


def _task(line: str, place: str) -> Task:
    try:
        record = json.loads(line)
        if not isinstance(record, dict):
            raise TypeError("not a JSON object")
        solutions = record["canonical_solution"]
        task = Task(
            record["task_id"],
            record["prompt"],
            record["entry_point"],
            tuple([solutions] if isinstance(solutions, str) else solutions),
            record["test"],
            record.get("satisfiable", True),
            record.get("intent", ""),
            record.get("source", ""),
            record.get("unseen", False),
            tuple(record.get("holds", ())),
        )
        texts = (task.task_id, task.prompt, task.entry_point, task.test, task.intent, task.source)
        flags = (task.satisfiable, task.unseen)
        if not all(isinstance(text, str) for text in (*texts, *task.canonical_solution, *task.holds)) or not all(
            isinstance(flag, bool) for flag in flags
        ):
            raise TypeError("a field of the wrong type")
    except (ValueError, TypeError, KeyError) as error:
        what = f"the field {error} is missing" if isinstance(error, KeyError) else str(error)
        raise EvalError(
            f"{place}: {what}", "The suite cannot be used", "Mend the line; evals/README.md describes the format"
        ) from error
    return task
