"""Records to batches: an endless, deterministic stream that can be resumed at any batch.

Parquet files are memory-mapped through ``datasets``; a process holds its order of record numbers and one shuffled
window of encoded examples, never the corpus (only where ``data.branches`` is above 1, all heads for a moment, to group
them). Within a window examples are sorted by length and cut into batches of about ``micro_batch * data.window`` tokens,
so that hardly any padding is computed; the batches are then shuffled.
Padding stands on the right, where causal attention never looks, so that no attention mask is needed but where records
share a beginning (`trees.py`). Each process reads its own records; its place in the stream is three numbers
(:class:`Position`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cert_lsp.contract.prompt import Marker, Role, render
from cert_lsp.contract.sketch import Variant, sketch
from cert_lsp.contract.tokens import Encoder
from cert_lsp.errors import CorpusError
from trainer.trees import Example, alone, group, join, positions

if TYPE_CHECKING:
    from datasets import Dataset

    from trainer.config import Data

COLUMNS = ("head", "code", "sketch", "kind", "source")
UNLEARNED, SKETCH, CODE = 0, 1, 2
"""What a token belongs to, where the loss counts it."""

_PAD_TO = 16
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Batch:
    """Examples padded to one length.

    Attributes:
        ids: (examples, length) int64 token ids; padding is 0.
        parts: (examples, length) int8; UNLEARNED, SKETCH or CODE, padding is UNLEARNED.
        tokens: Number of tokens without padding.
        branches: (examples, length) int64; branch of each token, see `Example`. None where nothing is shared.
        positions: (examples, length) int64; place of each token in its record. None where nothing is shared.
    """

    ids: NDArray[np.int64]
    parts: NDArray[np.int8]
    tokens: int
    branches: NDArray[np.int64] | None = None
    positions: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Position:
    """The next batch of a stream: its epoch, the window in that epoch, and the batch in that window."""

    epoch: int = 0
    window: int = 0
    batch: int = 0


def open_records(
    folders: Sequence[Path],
    split: str,
    cache: Path,
    *,
    weights: bool = False,
    variant: Variant = Variant.CONSTANTS,
) -> Dataset:
    """Memory-map ``split.parquet`` of every folder as one table.

    Args:
        folders: Corpus folders; the first must have the file, others may lack it.
        split: ``train`` or ``heldout``.
        cache: Folder for the memory-mapped copy.
        weights: Whether the records have weights of their own that are needed.
        variant: What their sketches leave out; the files hold those of constants, others are made anew.

    Raises:
        CorpusError: The file is missing, unreadable, empty, or lacks a column.
    """
    import datasets

    files = [folder / f"{split}.parquet" for folder in folders]
    files = [file for file in files if file.is_file() or file.parent == folders[0]]
    if weights and (light := [file for file in files if file.is_file() and "weight" not in _columns(file)]):
        raise CorpusError(
            f"the records of {light[0]} have no weight, and data.resample is set",
            "nothing tells how often to read them",
            "make the corpus with `python -m trainer files`, or leave data.resample away",
        )
    try:
        records = datasets.Dataset.from_parquet(
            [str(file) for file in files], cache_dir=str(cache), columns=[*COLUMNS, *(["weight"] * weights)]
        )
    except Exception as error:  # pyarrow and datasets raise many kinds; all mean that the file cannot be read
        raise CorpusError(
            f"{', '.join(map(str, files))} cannot be read: {error}",
            "there is nothing to train on",
            "make the corpus with `python -m trainer corpus --out DIR`",
        ) from error
    if not len(records):
        raise CorpusError(f"{', '.join(map(str, files))} holds no record", remedy="look at the corpus's report.md")
    return records if variant is Variant.CONSTANTS else records.map(_sketched, fn_kwargs={"variant": variant})


def _sketched(record: Mapping[str, str], variant: Variant) -> dict[str, str]:
    return {"sketch": sketch(record["code"], before=record["head"].rpartition("\n")[2], variant=variant).wire}


def _columns(file: Path) -> list[str]:
    import pyarrow.parquet as pq

    return pq.read_schema(file).names


def encode_record(
    record: Mapping[str, str], role: Role, encoder: Encoder, window: int, *, with_sketch: bool = True
) -> Example | None:
    """Render and encode one record in at most ``window`` tokens; None if sketch and code alone are longer.

    A long head loses whole lines from the left, as the server trims it too.
    """
    head = record["head"]
    while True:
        example = _encode(render(role, head, record["sketch"] if with_sketch else None, record["code"]), role, encoder)
        excess = len(example.ids) - window
        if excess <= 0:
            return example
        last_line = head.rstrip().rfind("\n") + 1
        if not last_line:
            return None
        # A token is hardly ever less than a character: whole lines of `excess` characters are not too many to drop.
        head = head[min(head.find("\n", min(excess, last_line) - 1) + 1, last_line) :]


def _encode(segments: Sequence[Any], role: Role, encoder: Encoder) -> Example:
    ids: list[int] = []
    parts: list[int] = []
    part = SKETCH if role in (Role.JOINT, Role.SKETCHER) else CODE
    for segment in segments:
        encoded = encoder.encode([segment])
        ids += encoded.ids
        parts += [part if learned else UNLEARNED for learned in encoded.learned]
        if segment.marker is Marker.CODE:  # the marker itself ends the sketch
            part = CODE
    return Example(ids, parts)


def make_batches(examples: Sequence[Example], batch_tokens: int) -> list[Batch]:
    """Sort examples by length and cut them into batches of at most ``batch_tokens`` ids, padding counted."""
    batches: list[list[Example]] = []
    for example in sorted(examples, key=lambda example: len(example.ids)):
        if not batches or _padded(len(example.ids)) * (len(batches[-1]) + 1) > batch_tokens:
            batches.append([])
        batches[-1].append(example)
    return [_pad(batch) for batch in batches]


def _pad(examples: Sequence[Example]) -> Batch:
    shape = (len(examples), _padded(max(len(example.ids) for example in examples)))
    ids, parts = np.zeros(shape, np.int64), np.zeros(shape, np.int8)
    for row, example in enumerate(examples):
        ids[row, : len(example.ids)] = example.ids
        parts[row, : len(example.ids)] = example.parts
    tokens = sum(len(example.ids) for example in examples)
    if not any(example.branches for example in examples):
        return Batch(ids, parts, tokens)
    branches, places = np.zeros(shape, np.int64), np.tile(np.arange(shape[1]), (shape[0], 1))
    for row, example in enumerate(examples):
        branches[row, : len(example.branches)] = example.branches
        places[row, : len(example.branches)] = positions(example.branches)
    return Batch(ids, parts, tokens, branches, places)


def _padded(length: int) -> int:
    """Few different lengths: matrix libraries keep buffers for every shape that they meet, for ever."""
    return -(-length // _PAD_TO) * _PAD_TO


class Stream:
    """Endless training batches of one process; ``position`` is that of the next one."""

    def __init__(
        self,
        records: Dataset,
        role: Role,
        encoder: Encoder,
        data: Data,
        *,
        batch_tokens: int,
        seed: int,
        rank: int = 0,
        world: int = 1,
        position: Position | None = None,
    ) -> None:
        """Read ``records[rank::world]`` of each epoch's order, from ``position`` on."""
        self._records, self._role, self._encoder, self._data = records, role, encoder, data
        self._batch_tokens, self._seed, self._rank, self._world = batch_tokens, seed, rank, world
        self._groups = group(records["head"][:], data.branches) if data.branches > 1 else alone(len(records))
        self._weights = _weights(records, data)[self._groups.members[self._groups.starts[:-1]]]
        if not self._weights.any():
            raise CorpusError("every record has weight 0", remedy="look at data.kinds, data.sources and data.resample")
        self.position = position or Position()

    def __iter__(self) -> Iterator[Batch]:
        """Yield batches for ever."""
        while True:
            epoch, first = self.position.epoch, self.position.window
            order = self._order(epoch)
            windows = range(first, -(-len(order) // self._data.shuffle))
            for window in windows:
                batches = self._window(order, epoch, window)
                for index in range(self.position.batch, len(batches)):
                    self.position = Position(epoch, window, index + 1)
                    yield batches[index]
                self.position = Position(epoch, window + 1)
            self.position = Position(epoch + 1)

    def _order(self, epoch: int) -> NDArray[np.int64]:
        """Numbers of this process's groups in this epoch; a weight of 1.5 gives a group once or twice."""
        rng = np.random.default_rng((self._seed, epoch))
        times = np.floor(self._weights + rng.random(len(self._weights))).astype(np.int64)
        order = rng.permutation(np.repeat(np.arange(len(times)), times))
        mine = order[self._rank :: self._world]
        if not len(mine):
            raise CorpusError(
                f"{len(order)} records are too few for {self._world} processes", remedy="start fewer processes"
            )
        return mine

    def _window(self, order: NDArray[np.int64], epoch: int, window: int) -> list[Batch]:
        size = self._data.shuffle
        groups = [self._groups[index] for index in order[window * size : (window + 1) * size]]
        numbers = np.concatenate(groups)
        rng = np.random.default_rng((self._seed, epoch, window, self._rank))
        with_sketch = rng.random(len(numbers)) >= self._data.no_sketch_share
        if self._role not in (Role.JOINT, Role.GENERATOR):
            with_sketch[:] = True
        examples = [
            encode_record(record, self._role, self._encoder, self._data.window, with_sketch=bool(with_its))
            for record, with_its in zip(self._records.select(numbers), with_sketch, strict=True)
        ]
        if lost := sum(example is None for example in examples):
            _log.info("%d of %d records are longer than the window", lost, len(examples))
        rest = iter(examples)
        kept = [[example for example in islice(rest, len(members)) if example] for members in groups]
        batches = make_batches([tree for each in kept for tree in join(each, self._data.window)], self._batch_tokens)
        return [batches[index] for index in rng.permutation(len(batches))]


def heldout_batches(
    records: Dataset, role: Role, encoder: Encoder, window: int, *, count: int, batch_tokens: int
) -> list[Batch]:
    """The same ``count`` held-out records, with their sketches, for every evaluation of every run."""
    numbers = np.random.default_rng(0).permutation(len(records))[:count]
    examples = [encode_record(record, role, encoder, window) for record in records.select(numbers)]
    batches = make_batches([example for example in examples if example], batch_tokens)
    if not batches:
        raise CorpusError("no held-out record fits into the window", remedy="raise data.window")
    return batches


def _weights(records: Dataset, data: Data) -> NDArray[np.float64]:
    weights = np.array(records.data.column("weight")) if data.resample else np.ones(len(records))
    for column, table in (("kind", data.kinds), ("source", data.sources)):
        if table:
            values = records.data.column(column).combine_chunks().dictionary_encode()
            factors = np.array([table.get(value, 1.0) for value in values.dictionary.to_pylist()])
            weights *= factors[values.indices.to_numpy()]
    return weights
