"""Prose to intent: the sentence a user would write above code, or the reason why this one is not such a sentence."""

from __future__ import annotations

import ast
import re

from trainer.corpus.words import words

MAX_WORDS = 32
MIN_WORDS = 3

_ROLE = re.compile(r":[\w:+-]+:`~?([^`<]*?)(?:\s*<[^`]*>)?`")
_LINK = re.compile(r"`([^`<]+?)\s*<[^`>]+>`_+|\[([^\]]+)\]\([^)]*\)")
_MARKUP = re.compile(
    r"``|`_*|\*\*|(?<!\w)\*(?=\w)|(?<=\w)\*(?!\w)|<[^>]+>|\\(?=\W)|\|(?=\w)|^#+\s*|^\s*[-*•]\s+|^\s*\d+[.)]\s+",
    re.MULTILINE,
)
_SENTENCE = re.compile(r"(?<=[.!?:;])\s+(?=[A-Z`\"'(])")


def _any(*phrases: str) -> str:
    return "(?:" + "|".join("|".join(phrase.split(", ")) for phrase in phrases) + ")"


# Words before the task itself: "For example, ", "We can also ", "The example below shows how to "
_LEAD = re.compile(
    "^(?:"
    + _any(
        "so, now, then, next, first, firstly, second, secondly, third, finally, lastly, also, here, similarly",
        "likewise",
        "alternatively, however, instead, again, and, or, but, thus, therefore, for example, for instance, e\\.g\\.",
        "in this example, in this case, in addition, additionally, furthermore, moreover, as (?:an|another) example",
        "of course, note that, notice that, please",
    )
    + r"\b[,:]?\s+)+",
    re.IGNORECASE,
)
_AUXILIARY = _any(
    "can, could, may, might, will, would, want to, wish to, need to, have to, should, must, are going to, like to",
    "also, then, now, first, simply, just, easily, either, even, instead, often, still, therefore, finally",
    "next, again, here",
)
_WE_CAN = re.compile(
    "^"
    + _any(
        r"let's, let us",
        rf"(?:we|you|one|i)(?:'ll|'re)?(?: {_AUXILIARY})+",
        r"(?:it is|it's) (?:also )?(?:possible|easy|useful|common|convenient|sometimes useful|often useful) to",
        r"(?:this|the following)? ?(?:example|code|snippet)s? (?:below )?(?:shows?|demonstrates?|illustrates?) "
        r"(?:how|using|the use of)(?: to| you can| we can)?",
        r"(?:an |another )?examples?(?: of| for| showing| on| how to| to)?(?: how to| to)?",
        r"(?:here is|here's|this is|below is|the following is)(?: an?)?(?: example)?(?: of)?(?: how to)?",
        r"(?:if|when) (?:we|you) (?:want|need|wish|would like) to, in order to, how to",
    )
    + r"\s+",
    re.IGNORECASE,
)
_TAIL = re.compile(
    "(?:,? ?"
    + _any(
        r"as follows, as (?:shown |seen )?below, like this, like so, as shown here, for example, for instance",
        r"e\.g\., i\.e\.",
        r"(?:as )?in the following(?: example)?, in this (?:way|manner|example), using the following(?: code)?",
        r"see below",
    )
    + r")+\s*$",
    re.IGNORECASE,
)
_ABOUT_ELSEWHERE = re.compile(
    r"https?:|\bgh-?\d|#\d|\?$|\b"
    + _any(
        r"see, above, below, previous, previously, earlier, former, latter, aforementioned, bug, issue",
        r"workaround, hack, hacky",
        r"backwards?.compat\w*, deprecat\w+, regression, github, todo, fixme, xxx, noqa, pylint, mypy, pragma",
        r"copyright",
        r"licen[cs]e[sd]?, author, legacy, not sure, don't, doesn't, cannot, can't, won't, isn't, should not",
        r"shouldn't",
        r"otherwise, raises?, raised, error, errors, exception, warning, warnings, assert\w*, unlike, because",
        r"since v, version\w*",
        r"pull request, doctest, documentation, docs, docstring, tutorial",
        r"this (?:function|method|class|section|page|chapter|module|parameter|argument|attribute)",
        r"these (?:functions|methods|arguments|parameters), our (?:example|case), this is, that is, hence, thus, note",
        r"behaves, behaved, behaviou?r, consistent with, no longer, now supports?, used to, compatib\w+",
    )
    + r"\b",
    re.IGNORECASE,
)
_NOTE_TO_SELF = re.compile(
    r"https?:|\?$|\b" + _any("todo, fixme, xxx, noqa, pylint, mypy, pragma, copyright, licen[cs]e[sd]?") + r"\b",
    re.IGNORECASE,
)
_CODE_LIKE = re.compile(
    r"^\s*(?:\w+\s*=[^=]|[\w.]+\(.*\)\s*$|(?:if|for|while|return|import|from|print|elif|else|def|with)\b.*[:()=]|[\w.\[\]'\"]+\s*$)"
)
_NO_TASK = re.compile(
    "^"
    + _any(
        "is, are, was, it, this, that, these, those, they, we, you, i, there, he, which, what, where, whose, who, why",
        "if, when, while, since",
        "as, although, though, unless, until, because, not, no, yes, ok, default, only, otherwise, assume",
        "assuming, suppose",
        "consider, remember, recall, notice, try, check, make sure, ensure, test, verify, prepare, setup",
        "set up, handle, should",
        "must, may, might, can, will, output, input, result, results, returns?:, parameters?, examples?, usage",
        "basic usage",
        "given, say, imagine, let, start with, begin with, alias, hack, fast, avoid, keep in mind, workaround",
        "import, be",
        "the (?:following|above|below|same|default|latter|former|reason|result|output), by default",
        "in particular, currently",
    )
    + r"\b",
    re.IGNORECASE,
)

_VERBS = words("verbs")
_COMMON = words("common")
_SYNONYMS = dict(pair.split(":") for pair in words("synonyms"))


def plain(text: str) -> str:
    """Take reStructuredText and Markdown marks off and join the lines."""
    text = _ROLE.sub(r"\1", text)
    text = _LINK.sub(lambda m: m[1] or m[2], text)
    text = _MARKUP.sub("", text)
    return " ".join(text.split())


def sentences(text: str) -> list[str]:
    """Split plain text into sentences."""
    return [s.strip() for s in _SENTENCE.split(text) if s.strip()]


def intent_of(text: str, *, first: bool = False, own: bool = False) -> tuple[str, str]:
    """Make an intent of a paragraph or comment.

    Args:
        text: The prose as it stands in the source.
        first: Whether the first sentence says it (a comment, a docstring's summary) or the last (prose before code).
        own: Whether those wrote it whom the model is for: as they say it, so they will ask.

    Returns:
        (intent, "") or ("", reason for the drop).
    """
    text = plain(re.sub(r"[=\-#*~_]{3,}", " ", text))
    parts = sentences(text)
    if not parts:
        return "", "intent: empty"
    chosen = parts[0 if first else -1]
    chosen = _TAIL.sub("", chosen.rstrip(" .:;,")).rstrip(" .:;,")
    chosen = _WE_CAN.sub("", _LEAD.sub("", _WE_CAN.sub("", _LEAD.sub("", chosen))))
    words = re.findall(r"[A-Za-z][\w'-]*", chosen)
    if len(words) < MIN_WORDS - (bool(words) and starts_with_verb(chosen)):
        return "", "intent: too short"
    if len(words) > MAX_WORDS:
        return "", "intent: too long"
    if sum(c.isascii() and (c.isalpha() or c == " ") for c in chosen) < 0.7 * len(chosen) or not chosen.isprintable():
        return "", "intent: not plain language"
    if _CODE_LIKE.match(chosen):
        return "", "intent: commented-out code"
    if (_NOTE_TO_SELF if own else _ABOUT_ELSEWHERE).search(chosen):
        return "", "intent: about something else"
    if _NO_TASK.match(chosen) and not (own and first):
        return "", "intent: tells no task"
    verb, _, rest = chosen.partition(" ")
    if verb.endswith("s") and verb[:-1].lower() in _VERBS:
        chosen = f"{verb[:-1]} {rest}"
    return chosen[0].upper() + chosen[1:], ""


def says_what(intent: str, tree: ast.AST, *, strict: bool) -> bool:
    """Whether the intent tells what the code does: by a verb to begin with, or by words that it shares with the code.

    With `strict` (comments, which more often tell why than what) a verb alone is not enough.
    """
    words = {_stem(word) for word in re.findall(r"[a-z]+", intent.lower())} - _COMMON
    words |= {_SYNONYMS[w] for w in re.findall(r"[a-z]+", intent.lower()) if w in _SYNONYMS}
    code: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            code |= _parts(node.attr)
        elif isinstance(node, ast.Name):
            code |= _parts(node.id)
        elif isinstance(node, ast.keyword) and node.arg:
            code |= _parts(node.arg)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 40:
            code |= _parts(node.value)
    shared = {w for w in words if len(w) > 1 and (w in code or any(_kin(w, c) for c in code))}
    return len(shared) + starts_with_verb(intent) + (not strict and starts_with_verb(intent)) >= 2


def starts_with_verb(intent: str) -> bool:
    """Whether the first word is a verb of data work, in the imperative, third person or -ing form."""
    first = intent.split()[0].lower()
    return not _VERBS.isdisjoint((first, _stem(first), _stem(first) + "e"))


def _kin(one: str, other: str) -> bool:
    return min(len(one), len(other)) > 3 and (one.startswith(other) or other.startswith(one))


def _parts(name: str) -> set[str]:
    return {_stem(part.lower()) for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)} - _COMMON


def _stem(word: str) -> str:
    for ending in ("ing", "ed", "ies", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            stem = word[: -len(ending)]
            return stem[:-1] if ending in ("ing", "ed") and len(stem) > 3 and stem[-1] == stem[-2] else stem
    return word
