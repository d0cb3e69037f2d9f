"""What people call the things that a phrasing speaks of: ``<num.more>`` is "longer than" where `num` is a distance.

| form | gives |
| --- | --- |
| ``<df.thing> <df.things>`` | what a row is: flight, flights |
| ``<num.noun>``, of any column | how people call the column: distance |
| ``<cat.nouns> <text.nouns>`` | its plural: airlines |
| ``<num.more> <num.less>`` | a comparison between things and number: longer than, shorter than |
| ``<num.most> <num.least>`` | a superlative before things: longest, shortest |
| ``<x.unit> <lo.unit> <hi.unit>`` | the number with the unit of its column: 1000 miles |
| ``<value.of> <value2.of>`` | what ties things to a value of `cat`: by KLM |
| ``<date.done>`` | a participle before "after" and the like: leaving |
| ``<day.said> <day2.said>`` | the day in words: 3 May 2021 |
| ``<flag.is> <flag.not>`` | an adjective, and its opposite: cancelled |
| ``<n.word> <k.word>`` | the number in words: three |
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Mapping, Sequence

from trainer.textbook.domains import Domain
from trainer.textbook.operations import SLOT

CHOOSY = frozenset({"more", "less", "most", "least", "is", "not", "done", "of"})
"""Forms that only some columns have."""
_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def of_columns(asked: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """Column slot -> the forms among `asked` (slot -> forms) that its column must have."""
    needed: dict[str, frozenset[str]] = {}
    for slot, forms in asked.items():
        column = "cat" if slot in ("value", "value2") else slot
        if choosy := forms & CHOOSY:
            needed[column] = needed.get(column, frozenset()) | choosy
    return needed


def forms_in(phrasing: str) -> dict[str, frozenset[str]]:
    """Slot -> the forms in which a phrasing has it."""
    found: dict[str, frozenset[str]] = {}
    for slot, _, form in SLOT.findall(phrasing):
        found[slot] = found.get(slot, frozenset()) | ({form} if form else set())
    return found


def columns_meant(phrasing: str) -> set[str]:
    """The slots of which a phrasing has a word in place of the name."""
    return {"cat" if slot in ("value", "value2") else slot for slot, forms in forms_in(phrasing).items() if forms}


def say(form: str, text: str, column: str, domain: Domain, rng: random.Random) -> str:
    """The word for `form`; `text` is what the slot gives without one, `column` that which it is or belongs to.

    Raises:
        KeyError: The lexicon has no such word.
    """
    words = domain.words.get(column, {})
    match form:
        case "word":
            return _NUMBERS[int(text)] if text.isdigit() and int(text) < len(_NUMBERS) else text
        case "said":
            return _day(text, rng)
        case "unit":
            return f"{text} {rng.choice(words['unit'])}" if "unit" in words else text
        case "of":
            return rng.choice(words["of"]).format(text)
        case "thing" | "things":
            return rng.choice(domain.words[""][form])
        case "noun" | "nouns" if form not in words:
            return column.replace("_", " ").lower() + form.removeprefix("noun")
        case _:
            return rng.choice(words[form])


def _day(text: str, rng: random.Random) -> str:
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        return text
    end = "th" if 11 <= day.day <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
    spelled = ("{0:%Y-%m-%d}", "{0.day} {0:%B} {0.year}", "{0:%B} {0.day}, {0.year}", "{0:%b} {0.day}{1} {0.year}")
    return rng.choice((*spelled, "{0.day}{1} of {0:%B} {0.year}")).format(day, end)


def read(statement: str, name: str, columns: Sequence[str], rng: random.Random) -> list[str]:
    """Lines that read a frame by `statement`, ``name = pd.read_csv(...)``, and show its columns."""
    listed = ", ".join(columns)
    return rng.choice(
        (
            [f"{statement}  # {listed}"],
            [f"# columns: {listed}", statement],
            [statement, f"{name} = {name}[{[*columns]!r}]"],
            [f"{statement[:-1]}, usecols={[*columns]!r})"],
        )
    )


def listing(name: str, columns: Sequence[str], rng: random.Random, docstring: bool) -> str:
    """What a docstring or comment adds on the columns of a parameter."""
    form = rng.choice(("{} has the columns {}.", "{}: columns {}", "Columns of {}: {}.", "{} ({})"))
    return ("\n\n" if docstring else "\n") + form.format(name, ", ".join(columns))
