"""An answer in the making: which token comes next, where it ends, what was nearly chosen. NumPy only."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cert_lsp.contract.prompt import Marker
from cert_lsp.engine.draft import Step
from cert_lsp.engine.vocabulary import Vocabulary

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

    @property
    def log_probability(self) -> float:
        """The logarithm of the probability of all that was chosen."""
        return sum(self.logarithms)

    def branch(self, alternative: Alternative) -> tuple[tuple[int, float], ...]:
        """Return the start of the answer that takes `alternative` at its place."""
        chosen = (alternative.token, float(np.log(alternative.probability)))
        return (*self.tokens[: alternative.position], chosen)


class Writing:
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
