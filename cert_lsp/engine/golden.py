"""A bundle's golden file: what its models answered where it was made, to be replayed where it is used.

Ids show that tokenizer and prompts are the same here, tokens that the graph computes the same. Processors round
differently, so an answer is recorded only as far as the model is sure of every token.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from cert_lsp.contract.bundle import Manifest, load_manifest
from cert_lsp.contract.prompt import Role, render
from cert_lsp.contract.tokens import Encoder
from cert_lsp.engine.runtime import Runtime, open_runtime
from cert_lsp.errors import BundleError

GOLDEN = "golden.json"
_SURE = 1.0
"""Least distance, in logits, between a recorded token and the next likely one."""
_MOST_TOKENS = 12


@dataclass(frozen=True)
class Golden:
    """One recorded request.

    Attributes:
        role: Model that was asked.
        head: Text before the cursor.
        sketch: Wire text of the sketch for a generator, else None.
        ids: The prompt's token ids.
        tokens: The greedy answer's first token ids; empty if the model was sure of none.
    """

    role: Role
    head: str
    sketch: str | None
    ids: list[int]
    tokens: list[int]


def record(role: Role, head: str, sketch: str | None, encoder: Encoder, runtime: Runtime) -> Golden:
    """Ask `runtime` and keep what it is sure of."""
    ids = _encode(encoder, role, head, sketch)
    return Golden(role, head, sketch, ids, _answer(runtime, ids, _MOST_TOKENS, sure=_SURE))


def write_golden(folder: Path, goldens: Sequence[Golden]) -> None:
    """Write the golden file of a bundle."""
    text = json.dumps([asdict(golden) for golden in goldens], indent=1, ensure_ascii=False)
    (folder / GOLDEN).write_text(text + "\n", encoding="utf-8")


def read_golden(folder: Path) -> list[Golden]:
    """Read the golden file of a bundle.

    Raises:
        BundleError: If it is missing or damaged.
    """
    path = folder / GOLDEN
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return [Golden(**entry | {"role": Role(entry["role"])}) for entry in entries]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BundleError(
            f"{path} cannot be read ({error})",
            "whether the model computes rightly here is not known",
            "copy or export the model folder again",
        ) from error


def replay(folder: Path, *, threads: int | None = None, provider: str = "auto") -> int:
    """Ask every recorded question again; returns how many there are.

    Raises:
        BundleError: At the first answer that differs; also as `open_runtime` and `read_golden`.
        RuntimeUnavailableError: As `open_runtime`.
    """
    manifest = load_manifest(folder)
    encoder = Encoder.load(folder / manifest.tokenizer, manifest.markers)
    goldens = read_golden(folder)
    for role, runtime in _runtimes(folder, manifest, threads, provider):
        for golden in goldens:
            if golden.role is role:
                _compare(golden, encoder, runtime)
    return len(goldens)


def _runtimes(folder: Path, manifest: Manifest, threads: int | None, provider: str) -> Iterator[tuple[Role, Runtime]]:
    for role in manifest.models:
        yield role, open_runtime(folder, role, threads=threads, provider=provider)


def _compare(golden: Golden, encoder: Encoder, runtime: Runtime) -> None:
    ids = _encode(encoder, golden.role, golden.head, golden.sketch)
    tokens = _answer(runtime, ids, len(golden.tokens))
    for what, found, expected in (("prompt", ids, golden.ids), ("answer", tokens, golden.tokens)):
        if found != expected:
            raise BundleError(
                f"the {what} to {golden.head[-60:]!r} is {encoder.decode(found)!r}, not {encoder.decode(expected)!r}",
                "the model computes differently here from where it was made; completions may be poor",
                "reinstall cert-lsp and onnxruntime, or choose provider 'cpu'",
            )


def _encode(encoder: Encoder, role: Role, head: str, sketch: str | None) -> list[int]:
    return encoder.encode(render(role, head, sketch, None)).ids


def _answer(runtime: Runtime, ids: Sequence[int], most: int, *, sure: float = 0.0) -> list[int]:
    """The greedy answer's first `most` tokens, ended early where the second choice is nearer than `sure`."""
    cache = runtime.new_cache()
    logits = runtime.forward(cache, ids[-(cache.capacity - most) :])[0]
    tokens: list[int] = []
    while len(tokens) < most:
        second, first = logits.argsort()[-2:].tolist()
        if logits[first] - logits[second] < sure:
            break
        tokens.append(first)
        logits = runtime.forward(cache, [first])[0]
    return tokens
