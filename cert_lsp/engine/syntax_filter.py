"""Can what is being written still become Python? Looked at for every token, on text, as in `api_filter`.

Python's own parser judges. Of a text that ends too early it tells whether more of it could mend that, with the flag by
which `codeop` asks for one line after the other, and else where it gave up: at the end, more may help. What still grows
there is judged as what it may become: a word as the keywords that begin with it, an operator as a longer one, a string
as a closed one. Placeholders of a sketch stand for what they replaced.
"""

import ast
import codeop
import keyword
import re
import warnings
from collections.abc import Iterator
from functools import lru_cache
from typing import Self

from cert_lsp.contract.sketch import CONSTANT_KINDS, KINDS, SIGIL
from cert_lsp.engine.context import Context
from cert_lsp.engine.lexer import continues_block, open_string

_FLAGS = ast.PyCF_ONLY_AST | int(vars(codeop)["PyCF_ALLOW_INCOMPLETE_INPUT"])  # which the stubs do not have
_STANDS_FOR: dict[str, str] = {
    **dict.fromkeys(KINDS, "_"),
    **{kind: '""' for kind in CONSTANT_KINDS if kind.endswith("string")},
    "binarystring": 'b""',
}
_PLACEHOLDER = re.compile(rf"{re.escape(SIGIL)}(\w*)")
_PREFIX = re.compile(r"(?<!\w)[rRbBuUfF]{1,2}\Z")
_WORD = re.compile(r"(?<![\w$])[^\W\d]\w*\Z")
_LAST = re.compile(r'(?:(?<![\w$])[^\W\d]\w*|(?<![\w"])[bB]?""|(?<![\w.])0)\Z')
_NUMBER = re.compile(r"(?<![\w$])\.?\d[\w.]*(?:(?<=[eE])[+-])?\Z")
_LONGER = {"=": "==", "!": "!=", ":": ":=", "-": "->", ".": "...", "..": "..."}
_OPERATOR = re.compile(r"(?<![=!<>:.*/&|^%@+-])(?:=|!|:|-|\.\.?)\Z")
_SOFT = re.compile(r"^[ \t]*(?:match|case|type)\b", re.MULTILINE)
_MENDABLE = ("incomplete input", "unterminated", "f-string", "unexpected EOF", "unexpected character after line")


class SyntaxFilter:
    """What may be written behind a half-written statement."""

    def __init__(self, statement: str) -> None:
        """Judge what goes on with `statement`, which is at its start if it is empty."""
        self._statement = statement

    @classmethod
    def of(cls, context: Context) -> Self:
        """Read what a context holds."""
        return cls(context.statement)

    def allows(self, answer: str, since: int) -> bool:
        """Say whether an answer may go on as it does behind its first `since` characters; it may if those are wrong."""
        text = self._statement + answer
        if continues_block(text) or _SOFT.search(text):
            return True
        return may_go_on(text) or not may_go_on(text[: len(self._statement) + since])


def may_go_on(text: str) -> bool:
    """Say whether some text behind `text` makes statements of Python of it; True where that cannot be told."""
    return _may_grow(_plain(text))


@lru_cache(maxsize=256)
def _may_grow(plain: str) -> bool:
    return any(map(_may_end, _grown(plain)))


def _plain(text: str) -> str:
    """Put literals where placeholders are, and close the string that the text ends in.

    What has grown within a string or a name alone gives the same text again, of which the answer is known: a name at
    the end that is the beginning of no keyword is as good as any other.
    """
    if (start := open_string(text)) is not None:
        prefix = _PREFIX.search(text[:start])
        literal = 'b""' if prefix and "b" in prefix[0].lower() else '""'
        text = text[: prefix.start() if prefix else start] + literal
    plain = _PLACEHOLDER.sub(lambda match: _STANDS_FOR.get(match[1], match[0] if match.end() < len(text) else ""), text)
    word = _WORD.search(plain)
    return f"{plain[: word.start()]}_" if word and not _may_become_more(word[0]) else plain


def _may_become_more(word: str) -> bool:
    """Say whether a word may become a keyword or the prefix of a string."""
    return _PREFIX.fullmatch(word) is not None or any(each.startswith(word) for each in keyword.kwlist)


def _grown(text: str) -> Iterator[str]:
    """Yield what the last word, number or operator of a text may become, itself first."""
    if number := _NUMBER.search(text):
        yield text[: number.start()] + "0"
        return
    yield text
    if word := _WORD.search(text):
        longer = (each for each in keyword.kwlist if each.startswith(word[0]) and each != word[0])
        yield from (text[: word.start()] + each for each in longer)
        if keyword.iskeyword(word[0]):
            yield text + "_"
        elif _PREFIX.fullmatch(word[0]):
            yield text + '""'
    elif operator := _OPERATOR.search(text):
        yield text[: operator.start()] + _LONGER[operator[0]]


def _may_end(text: str) -> bool:
    """Say whether the parser takes a text, or would if more of it came."""
    return _is_taken(f"if 1:\n{text}" if text[:1] in {" ", "\t"} else text)


def _is_taken(source: str, *, again: bool = True) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(source, "", "exec", _FLAGS)
    except IndentationError:  # the body may come yet; where an answer steps back, it has ended
        return True
    except SyntaxError as error:
        if again and error.msg.startswith("expected 'else'") and error.lineno == source.count("\n") + 1:
            # Within brackets, where no line's end is expected, it is told apart from what more could mend.
            return _is_taken(_with_bracket(source, error), again=False)
        return error.msg.startswith(_MENDABLE) or _gave_up_at_end(source, error)
    except (ValueError, RecursionError, MemoryError, OverflowError):
        return True
    return True


def _with_bracket(source: str, error: SyntaxError) -> str:
    """Open a bracket where an error begins."""
    lines = source.split("\n")
    number, offset = (error.lineno or 1) - 1, (error.offset or 1) - 1
    lines[number] = f"{lines[number][:offset]}({lines[number][offset:]}"
    return "\n".join(lines)


def _gave_up_at_end(source: str, error: SyntaxError) -> bool:
    """Say whether an error lies behind a text's last word or literal, so that it may be for lack of more."""
    number, last = source.count("\n") + 1, source.rpartition("\n")[2].rstrip(" \t")
    if (error.end_lineno or error.lineno or 0) < number or "was never closed" in error.msg:
        return False
    operand = _LAST.search(last)
    if operand and (error.lineno, error.offset) == (number, operand.start() + 1):
        return False
    return max(error.offset or 0, error.end_offset or 0) > len(last)
