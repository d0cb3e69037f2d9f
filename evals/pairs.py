"""Held-out pairs: how near a bundle's answers come to the code that people wrote there.

A pairs file is JSON Lines: `id`, `head` (text up to the cursor), `code` (what stands there) and `sketch` (its wire
text). For each pair the bundle completes greedily, and reads the true sketch and code for their loss: of the graph that
is served, quantized as it is, so no torch is needed. Results are lines of pairs.jsonl in the same order; a run that was
interrupted goes on where it stopped.
"""

import contextlib
import hashlib
import json
import multiprocessing
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import fmean
from textwrap import dedent
from typing import Any, Protocol

import numpy as np
from tqdm import tqdm

from cert_lsp.contract.bundle import MANIFEST, load_manifest, stamp
from cert_lsp.contract.neighbours import read_neighbours
from cert_lsp.contract.prompt import Role, render
from cert_lsp.contract.sketch import Sketch
from cert_lsp.contract.tokens import Encoder
from cert_lsp.errors import EvalError
from evals import generate
from evals.generate import drop_torn_line, stamp_settings

RESULTS, SETTINGS = "pairs.jsonl", "settings.json"
METRICS = ("sketch_exact", "code_exact", "edit_similarity", "loss")


class Completer(generate.Completer, Protocol):
    """What is needed of `cert_lsp.engine.pipeline.Engine`."""

    runtimes: Mapping[Role, Any]


@dataclass(frozen=True)
class Pair:
    """One line of a pairs file."""

    id: str
    head: str
    code: str
    sketch: str


@dataclass(frozen=True)
class Judged:
    """One line of pairs.jsonl.

    Attributes:
        id: The pair's.
        completion: What the bundle wrote.
        sketch: The sketch that led to it, as people see it.
        sketch_exact: 1 if that is the true code's sketch, else 0.
        code_exact: 1 if the code is the true one, spaces at line ends apart, else 0.
        edit_similarity: 0 to 1; 1 less the share of characters to delete and insert (CodeXGLUE's measure).
        loss: Mean negative log-likelihood (nats) of the tokens of the true sketch and code, or of the code alone.
    """

    id: str
    completion: str
    sketch: str
    sketch_exact: float
    code_exact: float
    edit_similarity: float
    loss: float


def read_pairs(path: Path) -> list[Pair]:
    """Read a pairs file.

    Raises:
        EvalError: It cannot be read, is empty, or a line is no pair.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
        pairs = [Pair(**json.loads(line)) for line in lines if line.strip()]
    except (OSError, ValueError, TypeError) as error:
        raise EvalError(
            f"Pairs {path} cannot be read: {error}", remedy="A line holds id, head, code, sketch"
        ) from error
    if not pairs:
        raise EvalError(f"{path} holds no pair", "There is nothing to judge", "Name another file")
    return pairs


def judge_pairs(
    engine: Completer | None,
    bundle: Path,
    pairs: Sequence[Pair],
    folder: Path,
    *,
    mode: str = "sketch",
    processes: int = 1,
    neighbours: Path | None = None,
) -> list[Judged]:
    """Judge the pairs that `folder` does not hold yet, and return all of them.

    Args:
        engine: The opened bundle; None: each of `processes` opens it for itself, on one core, which is quicker than one
            process on as many cores.
        bundle: Its folder.
        pairs: What to judge it by.
        folder: Where the results are and go.
        mode: `sketch` or `nosketch`, as it is asked.
        processes: How many pairs are judged at a time, if `engine` is None.
        neighbours: What is looked up, of no pair that is judged; an `engine` that is given does so by itself.

    Raises:
        NeighboursError: Those are missing or damaged.
        EvalError: The folder belongs to another bundle or other pairs, or cannot be written.
    """
    manifest = load_manifest(bundle)
    encoder = Encoder.load(bundle / manifest.tokenizer, manifest.markers)
    told = hashlib.sha256(json.dumps([asdict(pair) for pair in pairs]).encode()).hexdigest()
    settings = {"bundle": stamp(bundle / MANIFEST).sha256, "pairs": told}
    if mode != "sketch":
        settings["mode"] = mode
    if neighbours:
        read_neighbours(neighbours)  # here, where a fault is told in one message
        settings["neighbours"] = stamp(neighbours).sha256
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stamp_settings(folder / SETTINGS, settings)
        path = folder / RESULTS
        drop_torn_line(path)
        found = read_judged(path) if path.exists() else []
        todo = pairs[len(found) :]
        with path.open("a", encoding="utf-8") as file, contextlib.ExitStack() as stack:
            if engine:
                judged = map(partial(_judge, engine, encoder, mode), todo)
            else:
                pool = multiprocessing.get_context("spawn").Pool(processes, _open, (bundle, encoder, mode, neighbours))
                judged = stack.enter_context(pool).imap(_judge_here, todo)
            for one in tqdm(judged, "pairs", len(pairs), initial=len(found), unit="pair", disable=None):
                found.append(one)
                file.write(json.dumps(asdict(one)) + "\n")
                file.flush()
    except OSError as error:
        raise EvalError(
            f"{folder} cannot be written: {error}",
            "What was judged so far is kept",
            "Make room or name another --out, then run the same command again",
        ) from error
    return found


def read_judged(path: Path) -> list[Judged]:
    """Read the results of an earlier run."""
    return [Judged(**json.loads(line)) for line in path.read_text(encoding="utf-8").split("\n") if line]


def mean_figures(judged: Sequence[Judged]) -> dict[str, float]:
    """Mean of each metric over the pairs."""
    return {name: fmean(getattr(one, name) for one in judged) for name in METRICS}


def loss_of(runtimes: Mapping[Role, Any], encoder: Encoder, pair: Pair, mode: str = "sketch") -> float:
    """Mean loss per token that a model of these roles learns from the pair; of two models, over the tokens of both.

    Without a sketch it is that of the code alone, and of the model that writes it.
    """
    sketch = pair.sketch if mode == "sketch" else None
    losses: list[float] = []
    for role, runtime in runtimes.items():
        if role is Role.SKETCHER and sketch is None:
            continue
        encoded = encoder.encode(render(role, pair.head, sketch, pair.code))
        ids, first = encoded.ids, encoded.learned.index(True)
        logits = np.asarray(runtime.forward(runtime.new_cache(), ids[:-1], keep=len(ids) - first), np.float64)
        logits -= logits.max(axis=1, keepdims=True)
        logs = logits[np.arange(len(logits)), ids[first:]] - np.log(np.exp(logits).sum(axis=1))
        losses += [-float(log) for log, learned in zip(logs, encoded.learned[first:], strict=True) if learned]
    return fmean(losses)


def edit_similarity(one: str, other: str) -> float:
    """1 less the share of characters to delete and insert that turns one into the other; 0 to 1."""
    from rapidfuzz.distance import Indel

    return Indel.normalized_similarity(one, other)


_HERE: list[Any] = []
"""Engine, encoder and mode of a process of the pool."""


def _open(bundle: Path, encoder: Encoder, mode: str, neighbours: Path | None) -> None:
    from cert_lsp.engine.pipeline import Engine
    from evals.looked_up import looking_up

    _HERE[:] = [looking_up(Engine.open(bundle, threads=1), neighbours), encoder, mode]


def _judge_here(pair: Pair) -> Judged:
    return _judge(*_HERE, pair)


def _judge(engine: Completer, encoder: Encoder, mode: str, pair: Pair) -> Judged:
    candidates = engine.complete_text(pair.head, candidates=1, mode=mode)
    completion, sketch = (candidates[0].code, candidates[0].sketch) if candidates else ("", "")
    wanted, got = _plain(pair.code), _plain(completion)
    return Judged(
        pair.id,
        completion,
        sketch,
        float(bool(candidates) and _plain(sketch) == _plain(dedent(Sketch(pair.sketch).text.strip("\n")))),
        float(got == wanted),
        edit_similarity(got, wanted),
        loss_of(engine.runtimes, encoder, pair, mode),
    )


def _plain(code: str) -> str:
    return "\n".join(line.rstrip() for line in code.strip().split("\n"))
