"""Pair to record: a file with a cursor in it, as the editor would have it.

The same pair could stand in a script or in a function, with the cursor on the empty line below the comment, after `x =`
or after `return`. Which of them a pair becomes is drawn from a hash of its text: the same corpus every time.
"""

from __future__ import annotations

import ast
import hashlib
import random
import re
import textwrap

from cert_lsp.contract.prompt import split_cursor
from trainer.corpus.idiom import STANDARD
from trainer.corpus.pairs import Pair
from trainer.corpus.words import words

_RESULTS = ("result", "result", "out", "res", "x", "output")
_FRAMES = (*_RESULTS, "new_df", "df2", "summary")
VARIANTS = {"doctest": 2, "guide": 2, "markdown": 2}
"""How many layouts a pair of a kind gets (default 1): the best sources are few."""
_REPLACING = words("replacing")
_FILLERS = words("fillers")


def lay_outs(pair: Pair) -> list[tuple[str, str]]:
    """The pair's layouts as `(head, code)`: what the model reads, and what it must write, unfinished word included."""
    return list(dict.fromkeys(_lay_out(pair, variant) for variant in range(VARIANTS.get(pair.kind, 1))))


def _lay_out(pair: Pair, variant: int) -> tuple[str, str]:
    statements = list(pair.code)
    text = "\n".join(s.code for s in statements)
    rng = random.Random(hashlib.blake2b(f"{variant}\0{pair.intent}\0{text}".encode(errors="replace")).digest())
    imports = _imports(pair)
    context = [s for s in pair.context if not s.is_import]
    outer = [s.code for s in context if pair.signature and not s.node.col_offset]
    lines = [s.code for s in context if not pair.signature or s.node.col_offset]
    if pair.kind == "docstring":
        parts = [pair.signature, f'    """{pair.intent}."""']
        return _cut(imports, outer, *_inside(pair.owner, parts, textwrap.indent(text, "    ")), rng)
    if pair.signature:
        parts = [pair.signature]
        if pair.summary and len(pair.summary) < 200 and '"""' not in pair.summary:
            parts.append(f'    """{pair.summary}"""')
        parts += [textwrap.indent(line, "    ") for line in [*lines, *_comment(pair.intent, rng)]]
        return _cut(imports, outer, *_inside(pair.owner, parts, textwrap.indent(text, "    ")), rng)
    last = statements[-1]
    if pair.intent and len(statements) == 1 and isinstance(last.node, ast.Expr) and not _acts(last.node.value):
        names = sorted(last.uses - set(STANDARD) - _imported(pair))
        draw = rng.random()
        if draw < 0.3 and 0 < len(names) <= 3:
            signature = f"def {_slug(pair.intent)}({', '.join(names)}):"
            said = (
                [f'    """{pair.intent}."""']
                if rng.random() < 0.6
                else [f"    {c}" for c in _comment(pair.intent, rng)]
            )
            return _cut(imports, [], [signature, *said], textwrap.indent(_prefixed("return ", text), "    "), rng)
        if draw < 0.75:
            again = _rebound(last.node.value)
            name = again if again and rng.random() < 0.4 else rng.choice(_FRAMES if "pd" in _used(pair) else _RESULTS)
            text = _prefixed(f"{name} = ", text)
    return _cut(imports, lines, _comment(pair.intent, rng), text, rng)


def _cut(imports: list[str], lines: list[str], near: list[str], code: str, rng: random.Random) -> tuple[str, str]:
    """Join the parts and put the cursor somewhere in the first line of the code."""
    groups = ["\n".join(group) for group in (imports, lines, near) if group]
    before = ("\n\n" if rng.random() < 0.7 else "\n").join(groups) + "\n"
    first = code.split("\n")[0]
    starts = [0]
    if match := re.match(r"\s*(?:return|[\w.]+(?:\[[^\]=]*\])? =)(?= )", first):
        starts += [match.end()] * 2
    if rng.random() < 0.12:
        starts = [m.end() for m in re.finditer(r"\w[.(\[]", first)] or starts
    at = rng.choice(starts)
    head, forced = split_cursor(before + code[:at])
    return head, forced + code[at:]


def _inside(owner: str, near: list[str], code: str) -> tuple[list[str], str]:
    """A method stands in its class."""
    if not owner:
        return near, code
    return [f"class {owner}:", *(textwrap.indent(part, "    ") for part in near)], textwrap.indent(code, "    ")


def _imports(pair: Pair) -> list[str]:
    lines = [s.code for s in pair.context if s.is_import]
    used = _used(pair)
    bound = _imported(pair)
    standard = [line for name, line in STANDARD.items() if name in used and name not in bound]
    if not lines and not standard:
        standard = [STANDARD["pd"]]
    return standard + lines


def _used(pair: Pair) -> set[str]:
    return set().union(*(s.uses for s in (*pair.code, *pair.context)))


def _imported(pair: Pair) -> set[str]:
    return set().union(*(s.binds for s in pair.context if s.is_import))


def _comment(intent: str, rng: random.Random) -> list[str]:
    if not intent:
        return []
    text = intent
    words = text.split(" ")
    if rng.random() < 0.5 and words[0][1:].islower():
        text = text[0].lower() + text[1:]
    if rng.random() < 0.2:
        text += "."
    return [f"# {line}" for line in textwrap.wrap(text, rng.choice((76, 96)), break_long_words=False)]


def _prefixed(prefix: str, code: str) -> str:
    """Put `prefix` before an expression, moving continuation lines that were aligned with its brackets."""
    first, *rest = code.split("\n")
    return "\n".join(
        [prefix + first, *(" " * len(prefix) + line if re.match(r"\s{5,}", line) else line for line in rest)]
    )


def _acts(value: ast.expr) -> bool:
    """Whether the expression is called for its effect."""
    if not isinstance(value, ast.Call):
        return False
    name = value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")
    return (
        name in {"print", "plot", "info", "insert", "extend", "append", "put", "fill", "seed", "shuffle", "set_option"}
        or name.startswith(("to_csv", "to_json", "save", "set_"))
        or any(k.arg in {"inplace", "out"} for k in value.keywords)
    )


def _rebound(value: ast.expr) -> str:
    """The `df` of an expression like `df.dropna()`, whose result usually replaces it; else the empty string."""
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and isinstance(value.func.value, ast.Name):
        return value.func.value.id if value.func.attr in _REPLACING else ""
    return ""


def _slug(intent: str) -> str:
    words = [w for w in re.findall(r"[a-z0-9]+", intent.lower()) if w not in _FILLERS][:4]
    slug = "_".join(words)
    return slug if slug.isidentifier() else f"get_{slug}" if f"get_{slug}".isidentifier() else "transform"
