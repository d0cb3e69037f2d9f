"""A tiny tokenizer and models without weights: one recites a script, one draws each token from a hash."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from cert_lsp.contract.bundle import Manifest
from cert_lsp.contract.prompt import Layout, Marker, Role
from cert_lsp.contract.tokens import Encoder
from cert_lsp.engine.knowledge import KNOWLEDGE
from cert_lsp.engine.pipeline import Engine
from cert_lsp.engine.runtime import RuntimeInfo

MARKERS = {Marker.SKETCH: "<sketch>", Marker.CODE: "<code>", Marker.END: "<end>"}
_TEXT = "df = df.groupby('carrier')['delay'].mean()\n    return df\n# average delay\nprint(df[$string].head($number))\n"


@cache
def tiny_encoder() -> Encoder:
    """Return a byte-level BPE tokenizer of a few hundred tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=380,
        special_tokens=list(MARKERS.values()),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator([_TEXT] * 20, trainer)
    return Encoder(tokenizer, MARKERS)


@dataclass
class FakeCache:
    """Holds the tokens themselves."""

    capacity: int = 2048
    tokens: list[int] = field(default_factory=list)

    @property
    def length(self) -> int:
        return len(self.tokens)

    def rewind(self, length: int) -> None:
        assert 0 <= length <= len(self.tokens)
        del self.tokens[length:]


class FakeRuntime:
    """Counts what it reads; `row` says what follows the tokens held."""

    def __init__(self, capacity: int = 2048) -> None:
        self.vocab_size = tiny_encoder().vocab_size + 5  # padded, as real models are
        self.capacity = capacity
        self.calls: list[int] = []

    def new_cache(self) -> FakeCache:
        return FakeCache(self.capacity)

    def forward(self, cache: FakeCache, ids: Sequence[int], *, keep: int = 1) -> NDArray[np.float32]:
        assert 1 <= keep <= len(ids)
        self.calls.append(len(ids))
        rows = list[NDArray[np.float32]]()
        for token in ids:
            cache.tokens.append(token)
            rows.append(self.row(cache.tokens))
        assert cache.length <= cache.capacity
        return np.stack(rows[-keep:])

    def row(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        raise NotImplementedError

    def describe(self) -> RuntimeInfo:
        return RuntimeInfo("fake", "0", 1, Path("fake"))


class HashRuntime(FakeRuntime):
    """Draws each row of logits from a hash of all tokens before: no two prefixes agree."""

    def __init__(self, seed: int, text_only: str = "") -> None:
        super().__init__()
        self._seed = seed
        self._preferred = tiny_encoder().encode_text(text_only)

    def row(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        digest = blake2b(np.array([self._seed, *tokens], np.int32).tobytes(), digest_size=8).digest()
        row = np.random.default_rng(int.from_bytes(digest)).normal(size=self.vocab_size).astype(np.float32)
        row[self._preferred] += 2.0
        return row


class ScriptRuntime(FakeRuntime):
    """Recites: behind the last (of these the longest) key of `script` in the prompt its value, then the end marker.

    Keys and values are spelled with ``<sketch>``, ``<code>`` and ``<end>`` for the markers. ``others`` gives other
    beginnings of a value, each less likely than the one before. ``said`` is all that it was asked to go on with.
    """

    def __init__(self, script: Mapping[str, str], others: Mapping[str, Sequence[str]] | None = None) -> None:
        super().__init__()
        self.said: list[str] = []
        self._script = {key: [value, *(others or {}).get(key, ())] for key, value in script.items()}

    def row(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        row = np.zeros(self.vocab_size, np.float32)
        said = spell(tokens)
        self.said.append(said)
        places = [(said.rfind(key), key) for key in self._script if key in said]
        at, key = max(places, key=lambda place: (place[0] + len(place[1]), len(place[1])), default=(-1, ""))
        row[tiny_encoder().marker_id(Marker.END)] = 1.0
        if at < 0:
            return row
        written = said[at + len(key) :]
        for rank, value in enumerate(self._script[key]):
            if value.startswith(written):
                token = ids(value[len(written) :] or "<end>")[0]
                row[token] = max(row[token], 20.0 - 2 * rank)
        return row


def spell(tokens: Sequence[int]) -> str:
    """Return the text of tokens, markers spelled out."""
    encoder = tiny_encoder()
    marked = {encoder.marker_id(marker): text for marker, text in MARKERS.items()}
    return b"".join(marked.get(token, "").encode() or encoder.token_bytes(token) for token in tokens).decode(
        "utf-8", "replace"
    )


def ids(text: str) -> list[int]:
    """Encode text in which markers are spelled out."""
    encoder = tiny_encoder()
    for marker, spelled in MARKERS.items():
        if spelled in text:
            before, _, behind = text.partition(spelled)
            return [*ids(before), encoder.marker_id(marker), *ids(behind)]
    return encoder.encode_text(text) if text else []


def fake_engine(layout: Layout, runtimes: Mapping[Role, FakeRuntime], knows: frozenset[str] = KNOWLEDGE) -> Engine:
    """Put an engine together around fake models."""
    manifest = Manifest("fake", layout, {}, {}, "none", {}, {})
    return Engine(manifest, tiny_encoder(), runtimes, knows=knows)
