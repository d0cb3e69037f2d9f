"""Tasks in a long file."""

import ast
from dataclasses import dataclass, field

import pytest

from cert_lsp.engine.context import Context, build_context
from cert_lsp.errors import EvalError
from evals.generate import Decoding, generate
from evals.in_file import InFile, placed
from evals.suite import Suite, Task
from tests.evals.test_generate import Candidate, FakeEngine, Manifest

PROMPT = """import pandas as pd

flights = pd.DataFrame({"carrier": ["A"], "delay": [3]})

# mean delay of each carrier
means ="""


@dataclass
class Asked:
    manifest: Manifest = field(default_factory=Manifest)
    contexts: list[Context] = field(default_factory=list)

    def complete(self, context: Context, **options: object) -> list[Candidate]:
        self.contexts.append(context)
        return [Candidate(f" {options['seed']}", "")]


def test_a_task_stands_below_its_imports_and_whole_functions() -> None:
    text = placed(PROMPT, 400)
    assert 380 <= text.count("\n") - PROMPT.count("\n") <= 400
    assert text.startswith("import pandas as pd\n")
    assert text.endswith(PROMPT.partition("\n\n")[2])
    ast.parse(text + " 1")
    assert placed(PROMPT, 0) == PROMPT


def test_what_the_model_reads_is_chosen() -> None:
    engine = Asked()
    [answer] = InFile(engine, 400).complete_text(PROMPT, seed=1)
    assert answer.code == " 1"
    [context] = engine.contexts
    alone = build_context(PROMPT, len(PROMPT))
    assert alone
    assert context.intent == alone.intent == "mean delay of each carrier"
    assert len(context.head) < len(placed(PROMPT, 400)) / 10
    assert 'flights = pd.DataFrame({"carrier"' in context.head
    assert InFile(engine, 400).complete_text("x = 1\n") == []


def test_runs_of_other_files_are_not_mixed(tmp_path) -> None:
    suite = Suite("Toy", "hash", (Task("Toy/0", PROMPT, "none", (), ""),))
    generate(FakeEngine(), [suite], Decoding("sketch"), 1, tmp_path, in_file=400)
    for other in (None, 0):
        with pytest.raises(EvalError, match="in_file"):
            generate(FakeEngine(), [suite], Decoding("sketch"), 1, tmp_path, in_file=other)
