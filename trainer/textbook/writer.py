"""Head and answer of one sample in its context: a script, or a function whose parameters stand for the data."""

from __future__ import annotations

import ast
import random
import re
from dataclasses import dataclass

from trainer.textbook import words as lexicon
from trainer.textbook.operations import SLOT, Operation
from trainer.textbook.scene import INPUTS, Scene
from trainer.textbook.wording import INTROS, VALUE_WORDS, Voice

EXAMPLE = "\0"
"""Stands in a head where the value, once known, may be shown as a comment."""

_EARLIER = {
    "df": (
        ("{name} = {name}.dropna()", "remove incomplete rows"),
        ("{name} = {name}.drop_duplicates()", "no duplicates"),
        ("n_rows = len({name})", "how many rows"),
        ("{name} = {name}.copy()", ""),
        ("print({name}.columns)", "what is in there"),
        ("print({name}.dtypes)", ""),
        ("{name} = {name}.sort_values({column})", "sort by {column}"),
    ),
    "other": (
        ("n = len({name})", "how many values"),
        ("print({name})", ""),
        ("print({name}.shape)", "check the shape"),
        ("print(type({name}))", ""),
        ("", ""),
    ),
}
_COLUMN_SLOTS = ("cat", "cat2", "num", "num2", "num3", "int", "float", "text", "date", "flag", "col")
_LITERAL, _LISTED = 0.4, 0.5
"""Where a phrasing means a column that it does not name: share of scripts that write the data down, in place of a file
with its columns; and of functions that list the columns, in place of the data above (seldom neither)."""
_OWN_NAME = 0.6
_RESULTS = ("result", "result", "out", "res", "output", "answer", "ans", "new", "y", "value", "r", "x")
_FRAMES = ("new_df", "result", "df2", "out", "subset", "res", "df_new", "clean", "selected", "df")


@dataclass
class Answer:
    """Code with all slots filled; `root` is the name that holds the value if the last line is no expression."""

    lines: list[str]
    root: str | None

    @property
    def text(self) -> str:
        """The code."""
        return "\n".join(self.lines)


@dataclass(frozen=True)
class Opening:
    """Lines with which the heads of several samples begin, and the files that they read."""

    imports: list[str]
    data: list[str]
    files: dict[str, str]


class Writer:
    """Writes head and answer of one sample in a context; see `script` and `function`."""

    def __init__(
        self,
        operation: Operation,
        scene: Scene,
        voice: Voice,
        rng: random.Random,
        chosen: str,
        intent: str,
        style: str,
        setup: list[str],
    ) -> None:
        self.operation, self.scene, self.voice, self.rng = operation, scene, voice, rng
        self.chosen, self.style, self.setup = chosen, style, setup
        self.literals = scene.names | scene.code
        self.template = intent
        self.meant = lexicon.columns_meant(intent) & {*_COLUMN_SLOTS}
        self.intent = ""
        self.earlier: list[str] = []

    def opening(self, codes: list[str]) -> Opening:
        """Imports and data for all of `codes`, whose slots are unfilled."""
        if self.rng.random() < 0.18:
            self._prepare()
        data, files = self._data()
        answers = [line for code in codes for line in answer_of(code, self.literals, self.scene).lines]
        return Opening(self._imports(data + answers), data, files)

    def script(self, assign: bool, opening: Opening | None) -> tuple[str, str, str, str | None, dict[str, str]]:
        """Imports, data, intent; the cursor after ``x =`` or on the next line."""
        answer = answer_of(self.chosen, self.literals, self.scene)
        if opening is None and self.rng.random() < 0.18:
            self._prepare()
        data, files = (opening.data, opening.files) if opening else self._data()
        comment = self._intent({})
        imports = opening.imports if opening else self._imports(data + answer.lines)
        variable = self._variable()
        lines = [*imports, ""] if imports else []
        if self.rng.random() < 0.12 and data and opening is None:
            lines += [*comment, *data]
        else:
            lines += [*data, *([""] if data and self.rng.random() < 0.6 else []), *comment]
        if "random" not in self.operation.traits and self.rng.random() < 0.12:
            lines.append("# " + EXAMPLE)
        body = answer.lines
        if assign and answer.root:
            target, _, value = answer.text.partition(" = ")
            head, code, variable = "\n".join([*lines, f"{target} ="]), " " + value, answer.root
        elif assign:
            owner = next((f"{name}." for name in self.scene.names.values() if answer.text.startswith(f"{name}.")), "")
            owner = owner if self.rng.random() < 0.05 else ""
            head = "\n".join([*lines, f"{variable} = {owner}".rstrip()])
            code = answer.text.removeprefix(owner) if owner else " " + answer.text
        else:
            head = "\n".join([*lines, ""])
            if answer.root is None and self.rng.random() < 0.75:
                body = [*body[:-1], f"{variable} = {body[-1]}"]
                answer = Answer(body, variable)
            code = "\n".join(body)
        preamble = "" if "np." in head else "import numpy as np\n"
        return head, code, preamble + without_example(head) + code, variable if assign else answer.root, files

    def function(self, docstring: bool, opening: Opening | None) -> tuple[str, str, str, str | None, dict[str, str]]:
        """A function whose parameters stand for the data; the cursor after ``return`` or in the empty body."""
        fixed = {match[1] for match in SLOT.finditer(self.chosen + self.template) if match[2]} | self.meant
        used = {match[1] for match in SLOT.finditer(self.chosen)} - INPUTS - fixed
        if self.rng.random() < 0.2:
            used = set()
        parameters = self.scene.parameters(used, self.rng)
        answer = answer_of(self.chosen, self.literals | parameters, self.scene)
        if answer.root:
            answer = Answer([*answer.lines, answer.root], None)
        names = [name for slot, name in self.scene.names.items() if f"<{slot}>" in self.chosen]
        arguments = [self.literals[slot] for slot in parameters]
        local = bool(names) and not parameters and self.rng.random() < 0.5 and opening is None
        name = self.rng.choice((self.operation.name, self.operation.name, self.operation.name, "f", "solve", "func"))
        listed = bool(self.meant) and not local and self.rng.random() < _LISTED and opening is None
        text = self._intent(parameters, docstring="    " if docstring else None, indent="    ", listed=listed)
        if "random" not in self.operation.traits and self.rng.random() < 0.15:
            text = self._with_case(text, dict(zip(parameters.values(), arguments, strict=True)), docstring)
        header = f"def {name}({', '.join([*([] if local else names), *parameters.values()])}):"
        spread = self._imports(self.setup + answer.lines) or ["import numpy as np"]
        lead = [*spread, "", ""] if self.rng.random() < 0.9 else []
        if self.meant and not local and not listed and self.rng.random() < 0.8:
            lead = [*spread, "", *self.setup, "", ""]
        if opening:
            lead = [*opening.imports, "", *opening.data, "", ""]
        if local:
            inner = [f"    {line}".rstrip() for line in self.setup]
            lines = [*lead, header, *(text + inner if docstring else inner + text)]
        elif not docstring and self.rng.random() < 0.2:
            lines = [*lead, *(line.removeprefix("    ") for line in text), header]
        else:
            lines = [*lead, header, *text]
        *before, last = answer.lines
        if not before and self.rng.random() < 0.5:
            head, code = "\n".join([*lines, "    return"]), f" {last}"
        else:
            head = "\n".join([*lines, ""])
            code = "\n".join([*(f"    {line}" for line in before), f"    return {last}"])
        head = without_example(head) if len(head) > 700 else head
        call = f"_result = {name}({', '.join([*([] if local else names), *arguments])})"
        imports = "import numpy as np\nimport pandas as pd\n"
        program = "\n".join([imports + without_example(head) + code, "", *self.setup, call])
        return head, code, program, "_result", opening.files if opening else {}

    def _with_case(self, text: list[str], arguments: dict[str, str], docstring: bool) -> list[str]:
        """The intent with a place for a worked example, if its inputs are short enough to be told."""
        given = [*self.setup, *(f"{name} = {value}" for name, value in arguments.items())]
        told = self.rng.choice(("Example: {} -> ", "For example, with {} the result is ", "e.g. {} gives "))
        told = told.format("; ".join(given).replace("np.array(", "").replace("])", "]")) + EXAMPLE
        if len(told) > 100 or "\n" in told:
            return text
        if not docstring:
            return [*text, f"    # {told}"]
        quotes = text[0].strip()[:3]
        opened = [line.removesuffix(quotes).rstrip() if row else line for row, line in enumerate(text)]
        if len(text) == 1:
            opened = [text[0].removesuffix(quotes)]
        return [*(line for line in opened if line), "", f"    {told}", f"    {quotes}"]

    def _prepare(self) -> None:
        """A line or two of earlier work between the data and the intent; the checks see them too."""
        first = next(iter(self.scene.names), None)
        if first in (None, "nums", "nums2", "names", "rows"):
            return
        name = self.scene.names[first]
        options = _EARLIER["df"] if first == "df" else _EARLIER["other"]
        numbers = [c for c, kind in self.scene.table.kinds.items() if kind == "num"] if self.scene.table else []
        line, said = self.rng.choice(options[: None if numbers else -1])
        column = self.rng.choice(numbers) if numbers else ""
        work = [line.format(name=name, column=repr(column))]
        if said and self.rng.random() < 0.7:
            work.insert(0, "# " + said.format(column=self.voice.name(column)))
        gap = [""] if self.rng.random() < 0.5 else []
        self.earlier = [*gap, *work]
        self.setup.extend(self.earlier)

    def _data(self) -> tuple[list[str], dict[str, str]]:
        table = self.scene.table
        traits = self.operation.traits
        plain = table is not None and not table.index and not traits & {"strnum", "lists", "strdate", "literal"}
        literal = _LITERAL if self.meant else 0.62
        if table is None or not plain or "df2" in self.scene.names or self.rng.random() < literal:
            return self.setup, {}
        name = self.scene.names["df"]
        file = self.rng.choice(("data.csv", f"{self.scene.domain.name}.csv", f"data/{self.scene.domain.name}.csv"))
        dates = [column for column, kind in table.kinds.items() if kind == "date"]
        parse = f", parse_dates={dates!r}" if dates else ""
        lines = [f"{name} = pd.read_csv({file!r}{parse})"]
        if self.meant:
            lines = lexicon.read(lines[0], name, [*table.columns], self.rng)
        lines += [line.replace("{df}", name) for line in table.after if "to_datetime" not in line]
        rest = [line for slot in self.scene.names if slot != "df" for line in self.scene.build[slot]]
        extra = self.rng.choice(([], [], [], [], [f"{name}.head()"], [f"print({name}.shape)"], [f"{name}.info()"]))
        return lines + rest + (self.earlier or extra), {file: table.csv()}

    def _intent(
        self, parameters: dict[str, str], docstring: str | None = None, indent: str = "", *, listed: bool = False
    ) -> list[str]:
        words = {
            (slot, form): self._word(slot, form, parameters) for slot, _, form in sorted({*SLOT.findall(self.template)})
        }
        text = SLOT.sub(lambda match: words[match[1], match[3] or ""], self.voice.own_words(self.template))
        if self.meant:
            text = re.sub(r"\b([Aa]) (?=[aeio])", r"\1n ", text)
        if self.meant and self.template.startswith("<") and (docstring is not None or self.rng.random() < 0.3):
            text = text[:1].upper() + text[1:]
        if self.style in ("sentences", "question") and self.rng.random() < 0.3 and not parameters:
            text = self._intro() + (" " if self.rng.random() < 0.6 else "\n") + text[:1].upper() + text[1:]
        if not parameters and self.rng.random() < 0.7:
            text += self._which_columns() + self._which_values()
        self.intent = text = self.voice.ordinals(text)
        if listed and self.scene.table:
            text += lexicon.listing(
                self.scene.names["df"], [*self.scene.table.columns], self.rng, docstring is not None
            )
        if docstring is not None:
            return self.voice.docstring(text, docstring)
        return self.voice.comment(text, indent)

    def _which_columns(self) -> str:
        """Name the columns that the answer needs, where the phrasing names none."""
        needed = [slot for slot in _COLUMN_SLOTS if slot in self._slots(self.chosen)]
        if not needed or self.meant or any(slot in self._slots(self.template) for slot in needed):
            return ""
        names = [self.voice.name(self.scene.raw[slot]) for slot in needed]
        listed = names[0] if len(names) == 1 else ", ".join(names[:-1]) + f" and {names[-1]}"
        few = self.rng.choice(
            (" ({})", " (column {})", " Here the column is {}.", " The column is {}.", " - {}", ": {}")
        )
        many = self.rng.choice((" ({})", " (columns {})", " Here the columns are {}.", " - {}"))
        return (few if len(names) == 1 else many).format(listed)

    def _which_values(self) -> str:
        """Name the numbers and values that the answer needs, where the phrasing names none of them."""
        needed = [slot for slot in VALUE_WORDS if slot in self._slots(self.chosen)]
        if not needed or any(slot in self._slots(self.template) for slot in needed):
            return ""
        listed = ", ".join(f"{VALUE_WORDS[slot]} {self._word(slot, '', {})}" for slot in needed)
        return self.rng.choice((" ({})", " with {}", ", {}", " - {}")).format(listed)

    @staticmethod
    def _slots(text: str) -> set[str]:
        return {match[1] for match in SLOT.finditer(text)}

    def _word(self, slot: str, form: str, parameters: dict[str, str]) -> str:
        if form:
            text = self.voice.name(parameters[slot]) if slot in parameters else self.scene.raw.get(slot, slot)
            return lexicon.say(form, text, self.scene.column_of(slot), self.scene.domain, self.rng)
        if slot in parameters:
            return self.voice.name(parameters[slot])
        if slot in self.scene.names:
            return self.scene.names[slot]
        raw = self.scene.raw.get(slot, self.scene.code.get(slot, slot))
        quoted = self.scene.code.get(slot, "").startswith(("'", '"'))
        return self.voice.name(raw) if quoted and "<" not in raw else raw

    def _intro(self) -> str:
        first = next(iter(self.scene.names), None)
        if self.scene.table is not None:
            columns = [self.voice.name(column) for column in self.scene.table.columns]
            listed = ", ".join(columns[:-1]) + f" and {columns[-1]}"
            return self.rng.choice(INTROS["df"]).format(columns=listed, domain=self.scene.domain.name)
        if first is None:
            return "A small question."
        return self.rng.choice(INTROS["other"]).format(about=self.scene.about[first], name=self.scene.names[first])

    def _imports(self, lines: list[str]) -> list[str]:
        text = "\n".join(lines)
        imports = [line for line in ("import pandas as pd", "import numpy as np") if f"{line[-2:]}." in text]
        if not imports or ("df" in self.scene.names and imports == ["import numpy as np"]):
            imports = ["import pandas as pd", *imports]
        if imports == ["import pandas as pd"] and self.rng.random() < 0.3:
            imports.append("import numpy as np")
        if self.rng.random() < 0.5:
            imports.reverse()
        return imports

    def _variable(self) -> str:
        taken = {*self.scene.names.values(), "data", "d", "idx"}
        names = _FRAMES if self.operation.then else _RESULTS
        if self.operation.result and self.rng.random() < _OWN_NAME:
            names = self.operation.result
        return self.rng.choice([name for name in names if name not in taken] or ["result"])


def without_example(head: str) -> str:
    """The head without the line that would show the value."""
    return "\n".join(line for line in head.split("\n") if EXAMPLE not in line)


def substitute(text: str, values: dict[str, str]) -> str:
    """`text` with the slots of `values` filled in."""
    return SLOT.sub(lambda match: values.get(match[1], match[0]), text)


def fill(text: str, values: dict[str, str], raw: dict[str, str]) -> str:
    """`text` with all slots filled in: by `raw` where they stand without quotes."""
    return SLOT.sub(lambda match: (raw if match[2] else values)[match[1]], text)


def answer_of(code: str, values: dict[str, str], scene: Scene | None = None) -> Answer:
    """`code` as an answer; without a scene the slots' own names stand in it."""
    text = fill(code, values, scene.raw) if scene else SLOT.sub(lambda match: match[1], code)
    *before, last = ast.parse(text).body
    lines = text.split("\n")
    if isinstance(last, ast.Expr):
        if before and isinstance(last.value, ast.Name):
            return Answer(lines[: last.lineno - 1], last.value.id)
        if last.lineno != last.end_lineno:
            lines = [*lines[: last.lineno - 1], "\n".join(lines[last.lineno - 1 :])]
        return Answer(lines, None)
    names = re.findall(r"[A-Za-z_]\w*", lines[last.lineno - 1])
    return Answer(lines, names[0])
