"""How people ask: a phrasing of the catalogue in the style of a comment, title, question, docstring or explanation."""

from __future__ import annotations

import random
import re
import textwrap

from trainer.textbook.operations import Operation

_ORDER = (
    "{o}", "{o}", "{o}", "{o}", "{O}", "{O}", "{O}.", "{O}.", "how to {o}", "How to {o}", "How to {o}?",
    "How to {o} in {lib}?", "How do I {o}?", "How can I {o}?", "How can we {o} in {lib}?", "I want to {o}",
    "I want to {o}.", "I would like to {o}.", "I need to {o}.", "I am trying to {o}.",
    "I'm trying to {o}, how can I do that?", "Is there a way to {o}?", "What is the best way to {o}?",
    "What's the easiest way to {o} with {lib}?", "Is it possible to {o}?", "now {o}", "Next, {o}.", "let's {o}",
    "we {o}", "We now {o}.", "TODO: {o}", "Please {o}.", "then {o}", "{lib}: {o}", "Goal: {o}.", "Write code to {o}.",
    "step 2: {o}", "{O} in {lib}", "So how would one {o}?", "Need to {o} here",
)  # fmt: skip
_NOUN = (
    "{n}", "{n}", "{N}", "{N}.", "get {n}", "Get {n}", "Get {n}.", "find {n}", "compute {n}", "Show {n}.",
    "return {n}", "Return {n}.", "How to get {n}?", "How do I get {n}?", "How to find {n} in {lib}?", "What is {n}?",
    "I need {n}.", "I want to get {n}.", "I'd like to have {n}.", "I'm looking for {n}.", "now {n}", "{N}:",
    "What's the best way to get {n}?", "is there a way to get {n}?", "Getting {n} in {lib}", "take {n}",
    "here we want {n}",
)  # fmt: skip
_CHAT = (
    "I want to {o}. How can I do that?", "I'd like to {o}. What is the best way?",
    "I want to {o}.\nIn other words, I need {n}.", "I need {n}. Is there a built-in way to do it in {lib}?",
    "I'm new to {lib}. How would I {o}?", "I want to {o}, so the result should be {n}.",
    "My goal is to {o}. Could anyone show me how to do it?", "I have been looking for a way to {o}.",
    "I could write a loop, but there must be a better way to {o}.", "What I need is {n}.\nHow do I get it?",
    "I am trying to {o} but I don't know how to start.", "I would like to {o} without a loop. The result is {n}.",
    "I know how to do it in plain python, but how do I {o} with {lib}?", "Here is what I want to do: {o}.",
    "The task is to {o}.\nThe output is {n}.", "My problem is simple: I have to {o}.",
    "{O}? I'd expect a one-liner for this.", "Does {lib} have a function to {o}?",
)  # fmt: skip
_DOCSTRING_ORDER = ("{O}.", "{O}.", "{O}", "This function should {o}.", "Helper to {o}.", "{O} and return the result.")
_DOCSTRING_NOUN = (
    "Return {n}.", "Return {n}.", "Return {n}", "{N}.", "Get {n}.", "Returns {n}.", "Compute {n}.", "Give back {n}.",
)  # fmt: skip
_SYNONYMS = {
    "dataframe": ("dataframe", "dataframe", "DataFrame", "data frame", "df", "frame", "pandas dataframe"),
    "array": ("array", "array", "array", "numpy array", "NumPy array"),
    "series": ("series", "Series", "Series", "pandas Series"),
}
VALUE_WORDS = {
    "n": "n =", "k": "k =", "x": "limit", "lo": "from", "hi": "to", "value": "for", "value2": "to", "values": "for",
    "fill": "value", "new": "new name", "new2": "and", "sub": "text", "day": "date", "day2": "until",
}  # fmt: skip
INTROS = {
    "df": (
        "I have a dataframe with columns {columns}.",
        "I have a dataframe of {domain} with the columns {columns}.",
        "Given is a dataframe with {domain} data.",
        "Suppose I have a dataframe like this.",
        "My dataframe has the columns {columns}.",
        "I have the following dataframe.",
        "I'm working with {domain} data in pandas; the columns are {columns}.",
    ),
    "other": (
        "I have {about}.",
        "Given {about} `{name}`.",
        "Say I have {about} like this.",
        "I have {about} called {name}.",
        "Suppose {name} is {about}.",
    ),
}
_PLAIN = 0.6
"""Share of the phrasings that speak of things which stand as they are."""


class Voice:
    """One person's way of writing, kept for a whole sample: quotes for names, word choice, wrapping."""

    def __init__(self, rng: random.Random, library: str) -> None:
        self.rng = rng
        self.quote = rng.choice(("{}", "{}", "'{}'", "`{}`", '"{}"', "'{}'"))
        self.words = {word: rng.choice(options) for word, options in _SYNONYMS.items()}
        self.library = rng.choice(
            (library, library, library, {"pandas": "Pandas", "numpy": "NumPy"}[library], "python")
        )
        self.width = rng.choice((68, 76, 84, 96))

    def name(self, text: str) -> str:
        """A column's or parameter's name as this person writes it."""
        return self.quote.format(text)

    def intent(self, operation: Operation, *, docstring: bool) -> tuple[str, str]:
        """A phrasing with its slots unfilled, and its style."""
        styles = {style: 3 + len(lines) for style, lines in operation.say.items()}
        if docstring:
            styles = {style: n for style, n in styles.items() if style in ("order", "noun", "docstring", "sentences")}
        else:
            styles.pop("docstring", None)
        plain = operation.speaks and self.rng.random() < _PLAIN
        if plain:
            style = self.rng.choices([*styles], weights=[*styles.values()])[0]
            return self.rng.choice(operation.say[style]), style
        if not docstring and self.rng.random() < 0.14 and {"order", "noun"} <= styles.keys():
            order, noun = (self.rng.choice(operation.say[style]) for style in ("order", "noun"))
            chat = self.rng.choice(_CHAT).replace("{lib}", self.library).replace("{n}", noun)
            return chat.replace("{o}", order).replace("{O}", order[:1].upper() + order[1:]), "sentences"
        style = self.rng.choices([*styles], weights=[*styles.values()])[0]
        core = self.rng.choice(operation.say[style])
        if style == "order":
            core = self._dress(core, _DOCSTRING_ORDER if docstring else _ORDER)
        elif style == "noun":
            core = self._dress(core, _DOCSTRING_NOUN if docstring else _NOUN)
        elif style == "question" and self.rng.random() < 0.2:
            core = core.lower().rstrip("?") if "<" not in core else core.rstrip("?")
        elif style == "sentences" and not docstring and self.rng.random() < 0.3:
            title = [(s, line) for s in ("order", "question") for line in operation.say.get(s, ())]
            if title:
                first, line = self.rng.choice(title)
                core = (self._dress(line, _ORDER[8:14]) if first == "order" else line) + "\n" + core
        return core, style

    def _dress(self, core: str, wrappers: tuple[str, ...]) -> str:
        wrapper = self.rng.choice(wrappers)
        if wrapper.startswith("What is") and not core.startswith("the "):
            wrapper = wrappers[0]
        if "{lib}" in wrapper and re.search(r"pandas|numpy", core, re.IGNORECASE):
            wrapper = wrappers[0]
        upper = core[:1].upper() + core[1:] if not core.startswith("<") else core
        return (
            wrapper.replace("{lib}", self.library)
            .replace("{o}", core)
            .replace("{O}", upper)
            .replace("{n}", core)
            .replace("{N}", upper)
        )

    def own_words(self, text: str) -> str:
        """Swap in this person's words and, seldom, a slip of the finger; slots stay as they are."""
        for word, chosen in self.words.items():
            text = re.sub(rf"(?i:(?<!pandas )(?<!numpy ))\b{word}\b", chosen, text)
        return self._slip(text) if self.rng.random() < 0.02 else text

    @staticmethod
    def ordinals(text: str) -> str:
        """``2th`` -> ``2nd``, but ``12th``."""
        ends = {"1": "st", "2": "nd", "3": "rd"}
        return re.sub(r"\b(\d*(?<!1)[123])-?th\b", lambda match: match[1] + ends[match[1][-1]], text)

    def _slip(self, text: str) -> str:
        words = [match for match in re.finditer(r"(?<![<\w])[a-z]{6,}\b(?!>)", text)]
        if not words:
            return text
        start = self.rng.choice(words).start() + self.rng.choice((1, 2, 3))
        return text[:start] + text[start + 1] + text[start] + text[start + 2 :]

    def comment(self, text: str, indent: str = "") -> list[str]:
        """`text` as comment lines."""
        lines = [line for part in text.split("\n") for line in textwrap.wrap(part, self.width) or [""]]
        return [f"{indent}# {line}".rstrip() for line in lines]

    def docstring(self, text: str, indent: str = "    ") -> list[str]:
        """`text` as a docstring."""
        lines = [line for part in text.split("\n") for line in textwrap.wrap(part, self.width) or [""]]
        quotes = "'''" if lines[-1].endswith('"') or (self.rng.random() < 0.08 and lines[-1][-1:] != "'") else '"""'
        if len(lines) == 1:
            return [f"{indent}{quotes}{lines[0]}{quotes}"]
        if self.rng.random() < 0.5:
            return [f"{indent}{quotes}{lines[0]}", *(indent + line for line in lines[1:]), indent + quotes]
        return [f"{indent}{quotes}", *((indent + line).rstrip() for line in lines), indent + quotes]
