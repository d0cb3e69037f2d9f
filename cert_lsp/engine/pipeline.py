"""Context to sketches to ranked candidates: a bundle, opened, and what may be asked of it.

An `Engine` belongs to one worker: its methods must not run at the same time. `Event.set` on a request's `cancel` may
come from any thread.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Self

import numpy as np

from cert_lsp.contract.bundle import EMBEDDED, Manifest, check_sizes, load_manifest
from cert_lsp.contract.prompt import Role
from cert_lsp.contract.tokens import Encoder
from cert_lsp.engine.api_index import UNKNOWN, Versions
from cert_lsp.engine.context import Context, whole_context
from cert_lsp.engine.decode import Decoder
from cert_lsp.engine.idioms import Idioms
from cert_lsp.engine.knowledge import KNOWLEDGE
from cert_lsp.engine.rank import Candidate
from cert_lsp.engine.request import Mode, Request, placed
from cert_lsp.engine.runtime import Runtime, open_runtime
from cert_lsp.engine.vocabulary import Vocabulary
from cert_lsp.engine.writing import Sampling

_READ_AHEAD = 96  # tokens for which room is left behind a prompt that is read ahead, as `complete` does
_SPARE = 3  # further alternatives that are written, one by one, while none so far can be offered


class Engine:
    """A bundle, opened: answers contexts.

    Attributes:
        manifest: What the bundle says of itself.
        runtimes: The model of each role, for reports.
    """

    def __init__(
        self,
        manifest: Manifest,
        encoder: Encoder,
        runtimes: Mapping[Role, Runtime],
        idioms: Idioms | None = None,
        knows: frozenset[str] = KNOWLEDGE,
    ) -> None:
        """Put an engine together from its parts; `open` does so from a folder."""
        self.manifest = manifest
        self.runtimes = runtimes
        self._encoder = encoder
        self._knows = knows
        self._decoders = {
            role: Decoder(runtime, Vocabulary(encoder, runtime.vocab_size), idioms)
            for role, runtime in runtimes.items()
        }

    @classmethod
    def open(
        cls,
        bundle_dir: Path | None = None,
        *,
        threads: int | None = None,
        provider: str = "auto",
        knows: frozenset[str] = KNOWLEDGE,
    ) -> Self:
        """Load a bundle; the embedded one if no folder is named. `knows` is for evaluation: which helps it has.

        Raises:
            BundleError: If it is missing, damaged or of another version.
            RuntimeUnavailableError: If ONNX Runtime cannot load it.
        """
        folder = bundle_dir or EMBEDDED
        manifest = load_manifest(folder)
        check_sizes(folder, manifest)
        encoder = Encoder.load(folder / manifest.tokenizer, manifest.markers)
        runtimes = {role: open_runtime(folder, role, threads=threads, provider=provider) for role in manifest.models}
        idioms = Idioms.load(folder / manifest.idioms) if manifest.idioms else None
        return cls(manifest, encoder, runtimes, idioms, knows)

    def complete(
        self,
        context: Context,
        *,
        candidates: int = 1,
        mode: Mode = "sketch",
        max_tokens: int = 96,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int = 0,
        cancel: Event | None = None,
    ) -> list[Candidate]:
        """Write completions for `context`, each with its sketch.

        Args:
            context: What is asked for.
            candidates: How many to write; fewer come back where they agree or cannot be offered.
            mode: Whether to go by way of a sketch; a plain bundle never does.
            max_tokens: Longest sketch, and longest code.
            temperature: 0 writes the likeliest answer first and its nearest alternatives next; above 0 each is drawn.
            top_p: Share of the probability that tokens are drawn from.
            seed: Makes draws repeatable.
            cancel: Ends the work between two tokens when set.

        Returns:
            Best first, by the context's neighbour before all; empty if nothing can be offered, or only made-up API.

        Raises:
            DecodeCancelled: If `cancel` was set.
        """
        written = candidates if temperature > 0 else candidates + _SPARE
        request = self._request(context, written, max_tokens, cancel, Sampling(temperature, top_p), seed)
        near = request.by_neighbour() if mode == "sketch" else []
        if len(near) == candidates:
            return near
        own = request.best(candidates - len(near), mode)
        return [*near, *(each for each in own if each.code not in {first.code for first in near})]

    def complete_text(
        self,
        before: str,
        *,
        candidates: int = 1,
        mode: Mode = "sketch",
        max_tokens: int = 96,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int = 0,
        cancel: Event | None = None,
        versions: Versions = UNKNOWN,
    ) -> list[Candidate]:
        """Go on with any text; no intent is needed, and all of `before` that fits is read. Else as `complete`."""
        return self.complete(
            replace(whole_context(before), versions=versions),
            candidates=candidates,
            mode=mode,
            max_tokens=max_tokens,
            temperature=temperature,
            top_p=top_p,
            seed=seed,
            cancel=cancel,
        )

    def complete_from(
        self, context: Context, sketch: str, *, candidates: int = 1, max_tokens: int = 96, cancel: Event | None = None
    ) -> list[Candidate]:
        """Write the code that follows from a given sketch.

        Args:
            context: What is asked for.
            sketch: As `Candidate.template`, perhaps changed; one without placeholders is the code itself.
            candidates: How many to write.
            max_tokens: Longest code.
            cancel: Ends the work between two tokens when set.

        Returns:
            Best first; empty if nothing that can be offered follows, or if the model knows no sketches.

        Raises:
            DecodeCancelled: If `cancel` was set.
        """
        request = self._request(context, candidates, max_tokens, cancel)
        return request.ranked(request.draws_from(placed(sketch, context.forced)))

    def read_ahead(self, context: Context, *, mode: Mode = "sketch", cancel: Event | None = None) -> None:
        """Read what `complete` would have to read for `context`, and write nothing.

        Raises:
            DecodeCancelled: If `cancel` was set; what has been read stays.
        """
        self._request(context, 1, _READ_AHEAD, cancel).read_ahead(mode)

    def _request(
        self,
        context: Context,
        candidates: int,
        max_tokens: int,
        cancel: Event | None,
        sampling: Sampling = Sampling(),  # noqa: B008 - frozen
        seed: int = 0,
    ) -> Request:
        random = np.random.default_rng(seed)
        layout, decoders, encoder = self.manifest.layout, self._decoders, self._encoder
        return Request(
            layout, decoders, encoder, context, candidates, max_tokens, sampling, random, cancel, self._knows
        )
