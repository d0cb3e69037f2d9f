"""The engine beside its peers: the same weights, the same prompts, the same number of tokens, taken in turns."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Self

from benchmarks.peers import Run
from cert_lsp.contract.bundle import load_manifest
from cert_lsp.contract.prompt import Role, render_without_sketch
from cert_lsp.contract.tokens import Encoder
from cert_lsp.engine.idioms import Idioms
from cert_lsp.engine.pipeline import Engine
from cert_lsp.engine.runtime import open_runtime

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from benchmarks.peers import Peer
    from cert_lsp.contract.bundle import Manifest
    from cert_lsp.engine.context import Context
    from cert_lsp.engine.runtime import OnnxRuntime, Runtime

OURS, LLAMA_CPP = "cert-lsp", "llama.cpp"
_TOKENS = 32
"""Tokens that are written to measure the plain speed."""


@dataclass(frozen=True)
class Model:
    """The parts of a joint bundle."""

    manifest: Manifest
    encoder: Encoder
    runtime: OnnxRuntime
    idioms: Idioms | None

    @classmethod
    def open(cls, bundle: Path) -> Self:
        """Load a bundle with the server's default settings."""
        manifest = load_manifest(bundle)
        encoder = Encoder.load(bundle / manifest.tokenizer, manifest.markers)
        idioms = Idioms.load(bundle / manifest.idioms) if manifest.idioms else None
        return cls(manifest, encoder, open_runtime(bundle, Role.JOINT), idioms)

    def engine(self, runtime: Runtime | None = None) -> Engine:
        """Return an engine that has read nothing; it runs on another `runtime` if one is given."""
        return Engine(self.manifest, self.encoder, {Role.JOINT: runtime or self.runtime}, self.idioms)


@dataclass(frozen=True)
class Speed:
    """Tokens per second, over all prompts."""

    prefill: float
    decode: float


@dataclass(frozen=True)
class Comparison:
    """Medians of the rounds, in seconds, one for each prompt.

    Attributes:
        prompts: Tokens of each prompt.
        tokens: Tokens of the code that we wrote for it, which the peers write as many of.
        cold: Engine -> times from an empty cache; ours are for sketch and code, the peers' for the code alone.
        warm: The same with the prompt in the cache.
        speeds: Engine -> plain speed.
    """

    prompts: list[int]
    tokens: list[int]
    cold: dict[str, list[float]]
    warm: dict[str, list[float]]
    speeds: dict[str, Speed]

    def ratio(self, times: Mapping[str, Sequence[float]]) -> float:
        """Our time over llama.cpp's, all prompts together."""
        return sum(times[OURS]) / sum(times[LLAMA_CPP])


def compare(
    model: Model, peers: Sequence[Peer], contexts: Sequence[Context], rounds: int, tick: Callable[[], None]
) -> Comparison:
    """Measure all engines on all prompts, `rounds` times in turns; `tick` is called after each prompt."""
    cold: defaultdict[str, list[list[float]]] = defaultdict(lambda: [[] for _ in contexts])
    warm: defaultdict[str, list[list[float]]] = defaultdict(lambda: [[] for _ in contexts])
    plain: defaultdict[str, list[list[Run]]] = defaultdict(lambda: [[] for _ in contexts])
    prompts = [model.encoder.encode(render_without_sketch(Role.JOINT, context.head)).ids for context in contexts]
    written: list[int] = []
    for context in contexts:
        offered = model.engine().complete(context)
        written.append(max(2, len(model.encoder.encode_text(offered[0].code))) if offered else _TOKENS)
    for _ in range(rounds):
        for index, (context, prompt, tokens) in enumerate(zip(contexts, prompts, written, strict=True)):
            engine = model.engine()
            cold[OURS][index].append(_seconds(lambda: engine.complete(context)))  # noqa: B023 - called at once
            engine = model.engine()
            engine.complete(context, max_tokens=1)  # leaves the prompt in the cache, and no answer to go by
            warm[OURS][index].append(_seconds(lambda: engine.complete(context)))  # noqa: B023
            plain[OURS][index].append(_plain(model, prompt))
            for peer in peers:
                cold[peer.name][index].append(peer.run(prompt, tokens, warm=False).total)
                if peer.name == LLAMA_CPP:
                    warm[peer.name][index].append(peer.run(prompt, tokens, warm=True).total)
                plain[peer.name][index].append(peer.run(prompt, _TOKENS, warm=False))
            tick()
    return Comparison(
        [len(prompt) for prompt in prompts],
        written,
        {name: [median(each) for each in times] for name, times in cold.items()},
        {name: [median(each) for each in times] for name, times in warm.items()},
        {name: _speed(prompts, runs) for name, runs in plain.items()},
    )


def _seconds(call: Callable[[], object]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def _plain(model: Model, prompt: Sequence[int]) -> Run:
    """Read a prompt into an empty cache and write greedily, one token a pass, as the peers do."""
    cache = model.runtime.new_cache()
    begun = time.perf_counter()
    token = int(model.runtime.forward(cache, prompt)[0].argmax())
    read = time.perf_counter()
    for _ in range(_TOKENS - 1):
        token = int(model.runtime.forward(cache, [token])[0].argmax())
    ended = time.perf_counter()
    return Run(ended - begun, read - begun, ended - read)


def _speed(prompts: Sequence[Sequence[int]], runs: Sequence[Sequence[Run]]) -> Speed:
    """Add up the medians of all prompts; the first token comes with the prompt's last one."""
    prefill = sum(median(run.prefill for run in each) for each in runs)
    decode = sum(median(run.decode for run in each) for each in runs)
    return Speed(sum(map(len, prompts)) / prefill, len(prompts) * (_TOKENS - 1) / decode)
