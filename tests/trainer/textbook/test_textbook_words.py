"""What people call things: forms in phrasings, the lexicon, and a phrasebook drawn from both."""

import os
import random
import re
import subprocess
import sys
from difflib import SequenceMatcher

import pytest

from evals.suite import load_suites
from trainer.corpus.decontaminate import OWN_SUITES, said
from trainer.textbook.domains import domains, spoken_domains
from trainer.textbook.operations import BOOKS, SLOT, Operation, load_all
from trainer.textbook.render import render
from trainer.textbook.words import CHOOSY, columns_meant, forms_in, of_columns, say

FLIGHTS = next(domain for domain in spoken_domains() if domain.name == "flights")


def test_a_phrasing_tells_slots_and_forms() -> None:
    phrasing = "<df.things> <num.more> <x.unit> <value.of>, the <num.most> first"
    assert forms_in(phrasing)["num"] == {"more", "most"}
    assert columns_meant(phrasing) >= {"num", "cat"}
    assert of_columns(forms_in(phrasing)) == {"num": {"more", "most"}, "cat": {"of"}}


@pytest.mark.parametrize(
    ("form", "text", "column", "said"),
    [
        ("things", "", "", {"flights"}),
        ("word", "3", "", {"three"}),
        ("unit", "900", "distance", {"900 km", "900 miles"}),
        ("unit", "900", "no_such", {"900"}),
        ("noun", "", "no_such", {"no such"}),
        ("said", "2021-05-03", "", {"2021-05-03", "3 May 2021", "May 3, 2021", "May 3rd 2021", "3rd of May 2021"}),
        ("said", "2021-05-11", "", {"2021-05-11", "11 May 2021", "May 11, 2021", "May 11th 2021", "11th of May 2021"}),
        ("said", "`start`", "", {"`start`"}),
    ],
)
def test_words(form: str, text: str, column: str, said: set[str]) -> None:
    rng = random.Random(0)
    assert {say(form, text, column, FLIGHTS, rng) for _ in range(60)} == said


def test_the_lexicon_knows_every_column_of_every_subject() -> None:
    spoken = {domain.name: domain for domain in spoken_domains()}
    assert {domain.name for domain in domains()} <= spoken.keys()
    for domain in spoken.values():
        columns = [*domain.columns("col"), *domain.dates, *domain.flags]
        assert not [column for column in columns if column not in domain.words], domain.name
        forms = {form for words in domain.words.values() for form in words}
        assert forms <= CHOOSY | {"noun", "nouns", "unit", "thing", "things"}, domain.name


def speaking() -> list[Operation]:
    """The operations of all books that speak of things."""
    return [operation for book in BOOKS for operation in load_all(book=book) if operation.speaks]


def test_every_operation_that_speaks_of_things_can_be_asked() -> None:
    operations = speaking()
    assert len(operations) >= 200
    rng = random.Random(1)
    for operation in operations:
        for _ in range(3):
            assert "<" not in render(operation, rng).intent.replace("<=", "").replace("< ", ""), operation.key


def test_no_phrasing_has_the_shape_of_a_task() -> None:
    """At most six tenths of an intent's words stand in a phrasing, in their order: no task is here in disguise."""
    tasks = [task for suite in load_suites(OWN_SUITES) for task in suite.tasks]
    texts = {text for task in tasks for text in (task.intent, *said(task.prompt))}
    intents = [(words, {*words}) for text in texts if len(words := re.findall(r"\w+", text.lower())) >= 4]
    phrasings = {line for operation in speaking() for lines in operation.say.values() for line in lines}
    alike = []
    for line in sorted(phrasings):
        words = re.findall(r"\w+", SLOT.sub(" ", line).lower())
        for intent, known in intents:
            if len(known.intersection(words)) >= max(4, 0.6 * len(known)):
                blocks = SequenceMatcher(None, words, intent, autojunk=False).get_matching_blocks()
                common = sum(block.size for block in blocks)
                if common >= max(4, 0.6 * len(intent), 0.8 * len(words)):
                    alike.append((line, " ".join(intent)))
    assert not alike


def test_another_process_draws_the_same() -> None:
    program = (
        "import random; from trainer.textbook.operations import load_all; from trainer.textbook.render import render\n"
        "rng = random.Random(3)\n"
        "for book in ('textbook', 'phrasebook', 'steps'):\n"
        "    for sample in [render(operation, rng) for operation in load_all(book=book)[::9]]:\n"
        "        print(sample.head, sample.code, sample.program)"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1
