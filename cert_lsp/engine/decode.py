"""Token by token: prefill with reuse of the cache, constrained choice, stops, cancellation. NumPy only.

A `Decoder` owns the key-value caches of one model (see `prefixes`). A request states all tokens that the model shall
have read; whatever a cache holds of them already is not read again, so the next keystroke, the code after its sketch,
another candidate that differs in its fifth token, and a jump back all cost only what is new.

Guesses of what comes next (see `draft`) are read together with the token before them and kept as far as the
model's own choices agree, so that an answer never depends on them. That needs a model whose values do not depend on how
many tokens it reads at once.

Not thread-safe: a decoder belongs to one worker.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cert_lsp.contract.prompt import Marker
from cert_lsp.engine.draft import Step, chain
from cert_lsp.engine.idioms import ORDERS, Idioms
from cert_lsp.engine.prefixes import Held, Prefixes
from cert_lsp.engine.recall import Recall, seen_before
from cert_lsp.engine.vocabulary import Vocabulary
from cert_lsp.errors import DecodeCancelled, PromptError

if TYPE_CHECKING:
    from cert_lsp.engine.runtime import Runtime

_CHUNK = 128  # tokens read between two looks at the cancellation; a pass more costs as much as six tokens more in one
_CHUNK_AHEAD = 16  # the same while nobody waits for them
_ALTERNATIVES = 4
_NEAR = -12.0  # logits below the best at which a token is an alternative no more
_LONGEST_LOOP = 24
_LOOP_TURNS = 4
_LOOP_TOKENS = 24
_REFUSALS = 512  # some words are finished by hardly a token; each costs about 50 µs


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen: greedily at temperature 0, else from the nucleus of probability `top_p`."""

    temperature: float = 0.0
    top_p: float = 1.0


def allow_all(_answer: str, _since: int) -> bool:
    """Let every token come."""
    return True


@dataclass(frozen=True)
class Task:
    """What an answer must be like.

    Attributes:
        prompt: Tokens that the model reads.
        forced: What the answer must start with.
        ends: Markers that may end it.
        ended: Given the answer so far, the offset where it ended, or None.
        max_tokens: Longest answer.
        start: First tokens of the answer, already chosen, each with the logarithm of its probability.
        sampling: How tokens are chosen.
        follows: Given the answer so far, tokens that probably follow; they never change the answer.
        allows: Given the answer with a token more, and its length without it, whether that token may come.
    """

    prompt: Sequence[int]
    forced: str
    ends: frozenset[Marker]
    ended: Callable[[str], int | None]
    max_tokens: int
    start: Sequence[tuple[int, float]] = ()
    sampling: Sampling = Sampling()
    follows: Callable[[str], Step] = lambda _: ()
    allows: Callable[[str, int], bool] = allow_all


@dataclass(frozen=True, slots=True)
class Alternative:
    """A token that was nearly chosen: its place in the answer, its id, its share of the probability there."""

    position: int
    token: int
    probability: float


@dataclass(frozen=True)
class Answer:
    """What the model wrote.

    Attributes:
        text: The answer, up to where it ended; starts with the task's `forced` unless it broke off before.
        tokens: Its tokens, `start` included, each with the natural logarithm of its probability among those allowed at
            its place; markers and what stands behind the end are left out.
        logarithms: The logarithms of all that was chosen to write it, the end included.
        complete: Whether it ended by a marker or by the task's rule, not by length or in a loop.
        alternatives: The nearly chosen tokens, most probable first.
    """

    text: str
    tokens: tuple[tuple[int, float], ...]
    logarithms: tuple[float, ...]
    complete: bool
    alternatives: tuple[Alternative, ...]

    def branch(self, alternative: Alternative) -> tuple[tuple[int, float], ...]:
        """Return the start of the answer that takes `alternative` at its place."""
        chosen = (alternative.token, float(np.log(alternative.probability)))
        return (*self.tokens[: alternative.position], chosen)


class Decoder:
    """One model and its caches."""

    def __init__(self, runtime: "Runtime", vocabulary: Vocabulary, idioms: Idioms | None = None) -> None:
        self._runtime = runtime
        self._vocabulary = vocabulary
        self._idioms = idioms
        self._prefixes = Prefixes(runtime)
        self._recalls: defaultdict[frozenset[Marker], Recall] = defaultdict(Recall)  # sketches and code, by their ends

    @property
    def capacity(self) -> int:
        """Tokens that prompt and answer may have together."""
        return self._held.cache.capacity

    @property
    def _held(self) -> Held:
        return self._prefixes.current

    def read_ahead(self, tokens: Sequence[int], cancel: Event | None = None) -> None:
        """Bring a cache to hold `tokens`, looking at `cancel` often, since somebody may ask for an answer meanwhile.

        Raises:
            DecodeCancelled: If `cancel` is set; what has been read stays.
            PromptError: As `read`.
        """
        self.read(tokens, cancel, chunk=_CHUNK_AHEAD)

    def read(
        self, tokens: Sequence[int], cancel: Event | None = None, guessed: Sequence[int] = (), *, chunk: int = _CHUNK
    ) -> NDArray[np.float32]:
        """Bring a cache to hold exactly `tokens`, and behind them `guessed`.

        Returns:
            Logits behind the last of the tokens and each of the guessed ones, shape (1 + guessed, vocabulary), float32.

        Raises:
            DecodeCancelled: If `cancel` is set; what has been read stays.
            PromptError: If there are none, or more than the cache can hold.
        """
        if not 0 < len(tokens) <= self.capacity - len(guessed):
            raise PromptError(
                f"a prompt of {len(tokens)} tokens", f"the model reads 1 to {self.capacity}", "shorten the text above"
            )
        held = self._prefixes.turn_to(tokens).tokens
        while (begin := len(held)) + chunk < len(tokens):
            _look_at(cancel)
            self._append(tokens[begin : begin + chunk], keep=1)
        _look_at(cancel)
        return self._append([*tokens[begin:], *guessed], keep=1 + len(guessed))

    def answer(self, task: Task, rng: np.random.Generator, cancel: Event | None = None) -> Answer:
        """Write an answer.

        Raises:
            DecodeCancelled: If `cancel` is set before the answer is complete.
            PromptError: As `read`.
        """
        writing = _Writing(task, self._vocabulary)
        recall = self._recalls[task.ends]
        try:
            self._write(writing, task, self._sources(task, recall), rng, cancel)
        finally:  # an answer that a newer request ends is a guess for that one
            recall.note(writing.tokens)
        return writing.answer()

    def may_start(self, task: Task, start: Sequence[tuple[int, float]]) -> bool:
        """Say whether the task allows the last of an answer's first tokens."""
        *before, last = (self._vocabulary.spelling(token) for token, _ in start)
        begun = b"".join(before).decode("utf-8", "ignore")
        longer = b"".join([*before, last]).decode("utf-8", "ignore")
        return len(begun) < len(task.forced) or task.allows(longer, len(begun))

    def _write(
        self,
        writing: "_Writing",
        task: Task,
        sources: Sequence[Callable[[Sequence[int]], Step]],
        rng: np.random.Generator,
        cancel: Event | None,
    ) -> None:
        """Choose token by token; what is guessed is read with the token before it."""
        prompt = [*task.prompt, *writing.tokens]
        guessed = chain(sources, writing.tokens)[: max(0, self.capacity - len(prompt))]
        rows = self.read(prompt, cancel, guessed)
        for _ in range(min(task.max_tokens, self.capacity - len(task.prompt)) - len(task.start)):
            _look_at(cancel)
            token = writing.choose(rows[0], rng)
            if writing.done:
                break
            if guessed and guessed[0] == token:
                rows, guessed = rows[1:], guessed[1:]
                continue
            self._forget(len(guessed))
            if (room := self.capacity - len(self._held.tokens) - 1) < 0:
                break
            guessed = chain(sources, writing.tokens)[:room]
            rows = self._append([token, *guessed], keep=1 + len(guessed))
        self._forget(len(guessed))

    def _sources(self, task: Task, recall: Recall) -> list[Callable[[Sequence[int]], Step]]:
        """Return what may tell the next tokens of an answer from those that it has."""
        *before, opening = task.prompt

        def follows(tokens: Sequence[int]) -> Step:
            spelled = b"".join(map(self._vocabulary.spelling, tokens))
            return task.follows(spelled.decode("utf-8", "ignore"))

        def known(tokens: Sequence[int]) -> Step:
            idiom = self._idioms.after(opening, [*before[-ORDERS.stop :], opening, *tokens]) if self._idioms else None
            return [idiom] if idiom else []

        def repeated(tokens: Sequence[int]) -> Step:
            again = seen_before([*before, *tokens])
            return [again] if again else []

        return [recall.after, follows, known, repeated]

    def _forget(self, count: int) -> None:
        """Take the last `count` tokens out of the cache again."""
        self._held.rewind(len(self._held.tokens) - count)

    def _append(self, tokens: Sequence[int], keep: int) -> NDArray[np.float32]:
        rows = self._runtime.forward(self._held.cache, tokens, keep=keep)
        self._held.note(tokens)
        return rows


class _Writing:
    """An answer in the making."""

    def __init__(self, task: Task, vocabulary: Vocabulary) -> None:
        self._task = task
        self._vocabulary = vocabulary
        self._tokens = list(task.start)
        self._bytes = bytearray(b"".join(vocabulary.spelling(token) for token, _ in task.start))
        self._forced = task.forced.encode()
        self._logarithms = [logarithm for _, logarithm in task.start]
        self._alternatives: list[Alternative] = []
        self._end: int | None = None
        self.done = False
        self._complete = False

    @property
    def tokens(self) -> list[int]:
        """The answer's tokens so far, markers left out."""
        return [token for token, _ in self._tokens]

    @property
    def text(self) -> str:
        """The answer so far; the bytes of an unfinished character are left out."""
        return self._bytes.decode("utf-8", "ignore")

    def choose(self, logits: NDArray[np.float32], rng: np.random.Generator) -> int:
        """Choose the next token by `logits`, shape (vocabulary,), and see whether it ends the answer."""
        owed = self._forced[len(self._bytes) :]
        allowed = logits.astype(np.float32, copy=False) + self._vocabulary.penalties(owed, self._task.ends)
        token = self._permitted(allowed, rng)
        self._note(allowed, token)
        if self._vocabulary.marker(token) is not None:
            self._finish(None)
            return token
        self._tokens.append((token, self._logarithms[-1]))
        self._bytes += self._vocabulary.spelling(token)
        if len(self._bytes) > len(self._forced) and (end := self._task.ended(self.text)) is not None:
            self._finish(end)
        elif _loops(self.tokens):
            self.done = True
        return token

    def _permitted(self, allowed: NDArray[np.float32], rng: np.random.Generator) -> int:
        """Choose a token that the task allows; those that it does not get -inf in `allowed`."""
        token = _sample(allowed, self._task.sampling, rng)
        if len(self._bytes) < len(self._forced):
            return token  # the user's own text
        before, refused = self.text, list[tuple[int, float]]()
        while len(refused) < _REFUSALS:
            longer = (self._bytes + self._vocabulary.spelling(token)).decode("utf-8", "ignore")
            if self._task.allows(longer if longer != before else before + "\n", len(before)):
                return token
            refused.append((token, float(allowed[token])))
            allowed[token] = -np.inf
            token = _sample(allowed, self._task.sampling, rng)
        for token, logit in reversed(refused):  # nothing that the model would write is allowed: it is not refused
            allowed[token] = logit
        return token

    def answer(self) -> Answer:
        """Return what has been written."""
        text, tokens = self.text, self._tokens
        if self._end is not None:
            text = text[: self._end]
            size, kept = 0, 0
            for token, _ in tokens:
                size += len(self._vocabulary.spelling(token))
                if size > len(text.encode()):
                    break
                kept += 1
            tokens = tokens[:kept]
        nearest = sorted(self._alternatives, key=lambda alternative: -alternative.probability)
        return Answer(text, tuple(tokens), tuple(self._logarithms), self._complete, tuple(nearest))

    def _finish(self, end: int | None) -> None:
        self._end, self.done, self._complete = end, True, True

    def _note(self, allowed: NDArray[np.float32], token: int) -> None:
        """Keep the chosen token's log-probability, and the strongest of the others; `allowed` is written over."""
        allowed -= allowed.max()
        near = np.flatnonzero(allowed > _NEAR)
        near = near[np.argsort(-allowed[near], kind="stable")][:_ALTERNATIVES]
        shifted = [(other, float(allowed[other])) for other in near.tolist() if other != token]
        chosen = float(allowed[token])
        total = float(np.log(np.exp(allowed, out=allowed).sum()))
        self._logarithms.append(chosen - total)
        self._alternatives += [
            Alternative(len(self._tokens), other, float(np.exp(logit - total))) for other, logit in shifted
        ]


def _sample(allowed: NDArray[np.float32], sampling: Sampling, rng: np.random.Generator) -> int:
    """Choose a token; `allowed` holds logits, -inf for what may not come."""
    if sampling.temperature <= 0:
        return int(allowed.argmax())
    scaled = allowed.astype(np.float64) / sampling.temperature
    shares = np.exp(scaled - scaled.max())
    shares /= shares.sum()
    order = np.argsort(-shares, kind="stable")
    nucleus = order[: int(np.searchsorted(np.cumsum(shares[order]), sampling.top_p)) + 1]
    return int(rng.choice(nucleus, p=shares[nucleus] / shares[nucleus].sum()))


def _loops(tokens: Sequence[int]) -> bool:
    """Say whether the answer turns in a circle: its end repeats the same few tokens again and again."""
    for period in range(1, _LONGEST_LOOP + 1):
        length = max(period * _LOOP_TURNS, _LOOP_TOKENS)
        if length > len(tokens):
            continue
        end = tokens[-length:]
        if all(end[index] == end[index - period] for index in range(period, length)):
            return True
    return False


def _look_at(cancel: Event | None) -> None:
    if cancel is not None and cancel.is_set():
        raise DecodeCancelled("a newer request took the place of this one")
