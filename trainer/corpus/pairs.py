"""Script to pairs: which prose speaks of which statements, and which lines above the code needs to be understood."""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from trainer.corpus.idiom import (
    STANDARD,
    does_something,
    foreign_names,
    is_data,
    is_display,
    is_library_code,
    library_names,
    unfit,
)
from trainer.corpus.intent import intent_of, says_what
from trainer.corpus.script import Prose, Script, Statement

MAX_CODE = 420
MAX_HEAD = 1000
MAX_STATEMENTS = 5
MAX_LINES = 12
BLOCK_EVERY = 4
"""One in so many statements without prose is taken: they are many, and teach less than a pair."""

_CONSTRUCTING = ("creat", "construct", "make", "making", "build", "generat", "initiali", "convert", "from", "defin")


@dataclass(frozen=True)
class Pair:
    """An intent and the code for it, before it is laid out as a file with a cursor.

    Attributes:
        intent: One sentence without markup; empty for kind `block`.
        code: The target's statements.
        kind: As in the corpus record.
        signature: The `def` line when the code is in a function, else empty.
        summary: What that function's docstring says first, or empty.
        prose: All that the source says, of which the intent is a part.
        context: Statements above that it builds on, in order; imports first.
        owner: For a method's body: the name of its class, else empty.
    """

    intent: str
    code: tuple[Statement, ...]
    kind: str
    signature: str = ""
    summary: str = ""
    prose: str = ""
    context: tuple[Statement, ...] = ()
    owner: str = ""


def pairs(script: Script, drops: Counter[str]) -> Iterator[Pair]:
    """Yield the script's pairs, counting what is dropped."""
    if script.signature.startswith("def _") and not script.own:
        drops["function: private"] += 1
        return
    if script.signature and script.summary:
        yield from _function(script, drops)
    elif script.summary:
        yield from _owner(script, drops)
    state = list(script.before)
    told: set[int] = set()
    for position, item in enumerate(script.items):
        if isinstance(item, Statement):
            if script.teaches and id(item) not in told:
                yield from _block(item, state, script)
            state.append(item)
        elif isinstance(item, Prose):
            group = _group(script, position + 1, item.kind)
            lead, target = (_by_comment if item.kind == "comment" else _by_prose)(group, item.text)
            intent, reason = intent_of(item.text, first=item.kind == "comment", own=script.own)
            if not target:
                reason = "intent: no code that it speaks of"
            if reason:
                drops[reason] += 1
                continue
            told |= {id(s) for s in target}
            pair = Pair(
                intent, tuple(target), item.kind, script.signature, script.summary, item.text, owner=script.owner
            )
            yield from _checked(pair, state + lead, script, drops)


def _owner(script: Script, drops: Counter[str]) -> Iterator[Pair]:
    """A docstring's first sentence, and the first example that calls what the docstring describes."""
    statements = [item for item in script.items if isinstance(item, Statement)]
    intent, reason = intent_of(script.summary, first=True, own=script.own)
    for number, statement in enumerate(statements):
        if _called(statement) & script.owners and not is_display(statement):
            if reason:
                drops[f"summary, {reason}"] += 1
            else:
                pair = Pair(intent, (statement,), "doctest", prose=script.summary)
                yield from _checked(pair, script.before + statements[:number], script, drops)
            return
    drops["summary: no example calls what it describes"] += 1


def _function(script: Script, drops: Counter[str]) -> Iterator[Pair]:
    """A short documented function: signature and docstring, then its body."""
    body = [item for item in script.items if isinstance(item, Statement)]
    if not body or sum(s.code.count("\n") + 1 for s in body) > MAX_LINES:
        drops["function: too long"] += 1
        return
    intent, reason = intent_of(script.summary, first=True, own=script.own)
    if reason:
        drops[f"function, {reason}"] += 1
        return
    pair = Pair(intent, tuple(body), "docstring", script.signature, prose=script.summary, owner=script.owner)
    yield from _checked(pair, script.before, script, drops)


def _block(statement: Statement, state: list[Statement], script: Script) -> Iterator[Pair]:
    """A statement that no prose speaks of: it still shows how the library is called (kind `block`, no intent)."""
    drawn = hashlib.blake2b(statement.code.encode("utf-8", "replace"), digest_size=1).digest()[0]
    if drawn % BLOCK_EVERY == 0 and not is_display(statement) and not is_data(statement):
        pair = Pair("", (statement,), "block", script.signature, script.summary)
        yield from _checked(pair, state, script, Counter())


def _group(script: Script, position: int, kind: str) -> list[Statement]:
    """The statements from `position` on that the prose before them may speak of."""
    group: list[Statement] = []
    for item in script.items[position:]:
        told = bool(group) and not (script.own and all(map(is_data, group)))  # one's own cells begin with imports
        if isinstance(item, Statement):
            group.append(item)
        elif isinstance(item, Prose) or kind == "comment" or told:
            break
    return group


def _by_comment(group: list[Statement], intent: str) -> tuple[list[Statement], list[Statement]]:
    """A comment speaks of all the lines below it up to the next gap, if they are few."""
    while group and is_display(group[-1]):
        group = group[:-1]
    return ([], group) if len(group) <= MAX_STATEMENTS else ([], [])


def _by_prose(group: list[Statement], intent: str) -> tuple[list[Statement], list[Statement]]:
    """Prose speaks of the first statement below it that does more than set the scene, and of what carries that on."""
    group = [s for s in group if not is_display(s)]
    lead: list[Statement] = []
    while group and is_data(group[0]):
        lead.append(group.pop(0))
    if not group:
        if lead and not lead[-1].is_import and any(word in intent.lower() for word in _CONSTRUCTING):
            return lead[:-1], lead[-1:]
        return [], []
    target = [group.pop(0)]
    while group and len(target) < 3 and isinstance(target[-1].node, ast.Assign) and target[-1].binds & group[0].uses:
        target.append(group.pop(0))
    return lead, target


def _called(statement: Statement) -> set[str]:
    nodes = ast.walk(statement.node)
    return {n.attr if isinstance(n, ast.Attribute) else n.id for n in nodes if isinstance(n, (ast.Attribute, ast.Name))}


def _checked(pair: Pair, state: list[Statement], script: Script, drops: Counter[str]) -> Iterator[Pair]:
    """Yield the pair with its context, or count why it is no good."""
    reason = _fault(pair, state, own=script.own)
    context = [] if reason else slice_of(pair.code, state, script.parameters, own=script.own)
    if isinstance(context, str):
        reason = context
    elif not reason:
        named = set().union(*(s.uses for s in (*pair.code, *context)))
        if script.own:
            yield replace(pair, context=tuple(context))
        elif named & foreign_names([s for s in state if s.is_import]):
            reason = "code: uses other libraries"
        elif any(map(unfit, context)):
            reason = "context: unfit"
        else:
            yield replace(pair, context=tuple(context))
    if reason:
        drops[reason] += 1


def _fault(pair: Pair, state: list[Statement], *, own: bool) -> str:
    """Why the code, or the intent for it, is no good; or the empty string."""
    if not own and (reason := next(filter(None, map(unfit, pair.code)), "")):
        return reason
    if sum(len(s.code) for s in pair.code) > MAX_CODE:
        return "code: too long"
    if all(s.is_import for s in pair.code):
        return "code: only imports"
    if own and not any(map(does_something, pair.code)):
        return "code: does nothing"
    if not own and not is_library_code(list(pair.code), library_names(state)):
        return "code: no pandas or NumPy"
    if pair.intent and not says_what(
        pair.intent, ast.Module([s.node for s in pair.code], []), strict=pair.kind == "comment" and not own
    ):
        return "intent: shares no word with the code"
    return ""


def slice_of(
    code: tuple[Statement, ...], state: list[Statement], parameters: frozenset[str], *, own: bool = False
) -> list[Statement] | str:
    """The statements above that bind or change the names that `code` uses, transitively, newest first while they fit.

    Of one's own code (`own`) a head may leave names open: an editor seldom shows all that a line builds on.

    Returns:
        The statements in order, imports first; or the reason why there is no such context.
    """
    needed: set[str] = set()
    bound: set[str] = set()
    for statement in code:
        needed |= statement.uses - bound
        bound |= statement.binds
    needed -= parameters | set(STANDARD)
    budget = MAX_HEAD
    chosen: list[Statement] = []
    imports: dict[str, Statement] = {}
    for statement in reversed(state):
        if statement.is_import:
            for name in statement.binds & needed:
                imports.setdefault(name, statement)
            continue
        binds, changes = statement.binds & needed, statement.changes & needed
        if not binds and not changes:
            continue
        if isinstance(statement.node, (ast.ClassDef, ast.AsyncFunctionDef)) or len(statement.code) > budget:
            if binds and not own:
                return "context: too long"
            continue
        budget -= len(statement.code) + 1
        chosen.append(statement)
        if not changes - binds or binds:
            needed -= binds
        needed |= statement.uses - parameters - set(STANDARD)
    needed -= set(imports)
    if needed and not own:
        return "context: unbound names"
    kept: list[Statement] = []
    for statement in imports.values():
        if statement.code not in {s.code for s in kept}:
            kept.append(statement)
    return kept[::-1] + chosen[::-1]
