"""Token by token: prefill with reuse of the cache, guesses, cancellation; what is chosen, `writing` says. NumPy only.

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
from cert_lsp.engine.writing import Answer, Task, Writing
from cert_lsp.errors import DecodeCancelled, PromptError

if TYPE_CHECKING:
    from cert_lsp.engine.runtime import Runtime

_CHUNK = 128  # tokens read between two looks at the cancellation; a pass more costs as much as six tokens more in one
_CHUNK_AHEAD = 16  # the same while nobody waits for them


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
        writing = Writing(task, self._vocabulary)
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
        writing: Writing,
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


def _look_at(cancel: Event | None) -> None:
    if cancel is not None and cancel.is_set():
        raise DecodeCancelled("a newer request took the place of this one")
