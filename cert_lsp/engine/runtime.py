"""Run a bundle's graph: token ids in, logits out, over a key-value cache that can be rewound.

The only module that imports ONNX Runtime, and it does so when a runtime is opened, so that the command line starts
fast and everything else is tested with a fake `Runtime`. Sampling, stops and cancellation are `decode`'s affair.

Two kinds of cache, as the manifest says:

* ``shared``: past and present are one preallocated buffer. To rewind is to remember a smaller length.
* ``growing``: the graph returns a longer past on every call. To rewind is to cut it.

What a call returns must not depend on how a prompt was cut into calls, else a cached prefix or a verified draft would
change the answer. ONNX Runtime holds to that for rows that it computes in pairs. A row that is left over, the last of
an odd number, is summed in another order, by a kernel of its own, and rounding to int8 then makes up to two logits of
it. So a call always has an even number of rows, and gives an even number of logits: the last token of an odd one is run
twice and the second is forgotten. With blocks of 128 weights two rows take as long as one.
"""

import importlib
import logging
import mmap
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cert_lsp.contract.bundle import ModelSpec, load_manifest
from cert_lsp.contract.prompt import Role
from cert_lsp.errors import BundleError, PromptError, RuntimeUnavailableError

logger = logging.getLogger(__name__)

_CPU = "CPUExecutionProvider"
_CUDA = "CUDAExecutionProvider"
_LOGITS = 10
"""Rows of logits that a pass mostly gives at most."""
_MAX_THREADS = 4
"""A model of this size is bound by memory; more threads take cores from the editor and gain nothing."""


class Cache(Protocol):
    """Keys and values of the tokens that a model has read. One thread at a time may use it."""

    @property
    def length(self) -> int:
        """Tokens held."""
        ...

    @property
    def capacity(self) -> int:
        """Tokens that it can hold."""
        ...

    def rewind(self, length: int) -> None:
        """Forget everything after the first `length` tokens.

        Raises:
            ValueError: If it holds fewer.
        """
        ...


@dataclass(frozen=True)
class RuntimeInfo:
    """What a runtime runs on: ONNX Runtime's provider, its version, the number of threads and the graph file."""

    provider: str
    version: str
    threads: int
    file: Path


class Runtime(Protocol):
    """A loaded graph."""

    @property
    def vocab_size(self) -> int:
        """Width of the logits."""
        ...

    def new_cache(self) -> Cache:
        """Return an empty cache; memory is taken as tokens come in."""
        ...

    def forward(self, cache: Cache, ids: Sequence[int], *, keep: int = 1) -> NDArray[np.float32]:
        """Append `ids` to the cache and return the logits of the last `keep` of them, float32 (keep, vocab_size).

        They may lie in memory that the next call on this cache writes to.

        Raises:
            PromptError: If the cache can't hold that many.
            ValueError: If `ids` is empty or `keep` is not in 1..len(ids).
        """
        ...

    def describe(self) -> RuntimeInfo:
        """Return what it runs on."""
        ...


def open_runtime(bundle_dir: Path, role: Role, *, threads: int | None = None, provider: str = "auto") -> "OnnxRuntime":
    """Load the graph that plays `role` in a bundle.

    Args:
        bundle_dir: Folder with a ``bundle.json``.
        role: One of the roles of its layout.
        threads: Threads of one forward pass; None takes two, of more than two usable cores all but one, at most four.
        provider: ``cpu``, ``cuda``, or ``auto``: CUDA where it really works and the bundle is made for it.

    Raises:
        BundleError: If the bundle has no such role, or its graph can't be loaded.
        RuntimeUnavailableError: If ONNX Runtime is missing, or ``cuda`` was asked for and doesn't work here.
        ValueError: If `provider` is none of the three.
    """
    if provider not in ("auto", "cpu", "cuda"):
        raise ValueError(f"no provider is called {provider!r}")
    manifest = load_manifest(bundle_dir)
    if role not in manifest.models:
        raise BundleError(f"{bundle_dir} has no model for the role '{role}', its layout is '{manifest.layout}'")
    spec = manifest.models[role]
    ort = _import_onnxruntime()
    file = bundle_dir / spec.file
    threads = threads or _default_threads()
    session = _open_session(ort, file, spec, threads, provider)
    return OnnxRuntime(ort, session, spec, RuntimeInfo(session.get_providers()[0], ort.__version__, threads, file))


class OnnxRuntime:
    """`Runtime` over an ONNX Runtime session. Several caches may be in use at once, from several threads."""

    def __init__(self, ort: Any, session: Any, spec: ModelSpec, info: RuntimeInfo) -> None:
        self._ort = ort
        self._session = session
        self._spec = spec
        self._info = info

    @property
    def vocab_size(self) -> int:
        """Width of the logits."""
        return self._spec.vocab_size

    def new_cache(self) -> "SharedCache | GrowingCache":
        """Return an empty cache of the kind that the graph wants."""
        if self._spec.cache == "shared":
            return SharedCache(self._ort, self._session, self._spec, on_cuda=self._info.provider == _CUDA)
        return GrowingCache(self._session, self._spec)

    def forward(self, cache: Cache, ids: Sequence[int], *, keep: int = 1) -> NDArray[np.float32]:
        """See `Runtime.forward`."""
        if not isinstance(cache, SharedCache | GrowingCache):
            raise TypeError(f"{type(cache).__name__} is not a cache of this runtime")
        if not 1 <= keep <= len(ids):
            raise ValueError(f"keep is {keep}, it must be in 1..{len(ids)}, the number of ids")
        if cache.length + len(ids) > cache.capacity:
            raise PromptError(
                f"{cache.length + len(ids)} tokens are more than the model's window of {cache.capacity}",
                "nothing is completed",
                "shorten the text above the cursor",
            )
        twin = len(ids) % 2  # see the module's docstring
        rows = cache.append([*ids, *ids[-twin:]] if twin else ids, keep=keep + twin + (keep + twin) % 2)
        cache.rewind(cache.length - twin)
        return rows[-keep - twin : len(rows) - twin]

    def describe(self) -> RuntimeInfo:
        """Return what it runs on."""
        return self._info


class SharedCache:
    """One preallocated buffer for each layer's keys and values, bound as the graph's past and its present."""

    def __init__(self, ort: Any, session: Any, spec: ModelSpec, *, on_cuda: bool) -> None:
        self._session = session
        self._spec = spec
        self.length = 0
        self.capacity = spec.context - 1  # room for the twin of a row
        self._binding = session.io_binding()
        self._new_value = ort.OrtValue.ortvalue_from_numpy
        self._logits = np.empty((1, _LOGITS, spec.vocab_size), np.float32)
        shape = (1, spec.kv_heads, spec.context, spec.head_dim)
        dtype = np.dtype(spec.cache_dtype)
        self._buffers = self._on_card(ort, shape, dtype) if on_cuda else self._in_memory(shape, dtype)
        parts = [(layer, part) for layer in range(spec.layers) for part in ("key", "value")]
        for (layer, part), buffer in zip(parts, self._buffers, strict=True):
            self._binding.bind_ortvalue_input(spec.inputs[f"past_{part}"].format(layer=layer), buffer)
            self._binding.bind_ortvalue_output(spec.outputs[f"present_{part}"].format(layer=layer), buffer)

    def _on_card(self, ort: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> list[Any]:
        return [
            ort.OrtValue.ortvalue_from_shape_and_type(shape, dtype, "cuda", 0) for _ in range(2 * self._spec.layers)
        ]

    def _in_memory(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> list[Any]:
        """Make buffers in pages of their own: each is taken when it is first written, and given back at the end.

        `np.zeros` would do so for the first cache alone; the next would lie in memory that is used again, zeroed whole.
        """
        count = 2 * self._spec.layers
        pages = mmap.mmap(-1, count * int(np.prod(shape)) * dtype.itemsize)
        return [self._new_value(buffer) for buffer in np.frombuffer(pages, dtype).reshape(count, *shape)]

    def rewind(self, length: int) -> None:
        """Forget everything after the first `length` tokens, in no time."""
        _check_rewind(self.length, length)
        self.length = length

    def append(self, ids: Sequence[int], *, keep: int) -> NDArray[np.float32]:
        """Run the graph over `ids`; returns logits (keep, vocab), which hold until the next call."""
        length = self.length + len(ids)
        feeds = {
            "ids": np.array([ids], np.int64),
            "length": np.array([length], np.int32),
            "keep": np.array([keep], np.int64),
        }
        for role, value in feeds.items():
            self._binding.bind_cpu_input(self._spec.inputs[role], value)
        if keep > self._logits.shape[1]:
            self._logits = np.empty((1, keep, self._spec.vocab_size), np.float32)
        logits = self._logits[:, :keep]
        self._binding.bind_ortvalue_output(self._spec.outputs["logits"], self._new_value(logits))  # shares its memory
        self._session.run_with_iobinding(self._binding)
        self.length = length
        return logits[0]


class GrowingCache:
    """Each layer's keys and values as arrays (1, kv_heads, length, head_dim), replaced by longer ones on every call."""

    def __init__(self, session: Any, spec: ModelSpec) -> None:
        self._session = session
        self._spec = spec
        self.length = 0
        self.capacity = spec.context - 1
        parts = [(layer, part) for layer in range(spec.layers) for part in ("key", "value")]
        self._past_names = [spec.inputs[f"past_{part}"].format(layer=layer) for layer, part in parts]
        present = [spec.outputs[f"present_{part}"].format(layer=layer) for layer, part in parts]
        self._outputs = [spec.outputs["logits"], *present]
        empty = np.zeros((1, spec.kv_heads, 0, spec.head_dim), spec.cache_dtype)
        self._past: list[NDArray[Any]] = [empty] * len(parts)

    def rewind(self, length: int) -> None:
        """Forget everything after the first `length` tokens."""
        _check_rewind(self.length, length)
        self.length = length

    def append(self, ids: Sequence[int], *, keep: int) -> NDArray[np.float32]:
        """Run the graph over `ids`; returns logits (keep, vocab)."""
        length = self.length + len(ids)
        names = self._spec.inputs
        feeds: dict[str, NDArray[Any]] = {
            name: np.ascontiguousarray(values[:, :, : self.length])
            for name, values in zip(self._past_names, self._past, strict=True)
        }
        feeds[names["ids"]] = np.array([ids], np.int64)
        feeds[names["mask"]] = np.ones((1, length), np.int64)
        if "positions" in names:
            feeds[names["positions"]] = np.arange(self.length, length, dtype=np.int64)[None]
        logits, *self._past = self._session.run(self._outputs, feeds)
        self.length = length
        return logits[0, -keep:].astype(np.float32, copy=False)


def _check_rewind(held: int, length: int) -> None:
    if not 0 <= length <= held:
        raise ValueError(f"cannot rewind to {length} tokens, the cache holds {held}")


def _import_onnxruntime() -> Any:
    try:
        return importlib.import_module("onnxruntime")
    except ImportError as error:
        raise RuntimeUnavailableError(
            f"ONNX Runtime cannot be imported ({error})",
            "no model can run",
            "pip install 'cert-lsp[cpu]' (or [gpu], [gpu13] for an NVIDIA card)",
        ) from error


def _open_session(ort: Any, file: Path, spec: ModelSpec, threads: int, provider: str) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors: its warnings are told below, once, in our own words
    # Threads spin from one node to the next, which is a fifth faster than waking them up, and rest behind the last:
    # an idle server takes no CPU time.
    options.add_session_config_entry("session.intra_op.allow_spinning", "1")
    options.add_session_config_entry("session.force_spinning_stop", "1")

    # GroupQueryAttention has no float32 kernel for CUDA, so a bundle for the CPU stays there.
    made_for_cuda = spec.cache == "growing" or spec.cache_dtype == "float16"
    wanted = provider == "cuda" or (provider == "auto" and made_for_cuda)
    session, fault = _cuda_session(ort, file, options) if wanted else (None, "")
    if fault and provider == "cuda":
        raise RuntimeUnavailableError(
            f"CUDA does not work here: {fault}",
            "the model is not loaded",
            "choose provider 'cpu' or 'auto', or install cert-lsp[gpu] (CUDA 12) or cert-lsp[gpu13] (CUDA 13)",
        )
    if session is None:
        try:
            session = ort.InferenceSession(str(file), options, providers=[_CPU])
        except Exception as error:  # ONNX Runtime raises a class of its own for every status
            raise _unusable(file, str(error).partition("\n")[0]) from error
    if fault:
        logger.warning("CUDA does not work here (%s), so the model made for it runs on the CPU, more slowly", fault)
    _check_names(file, session, spec)
    return session


def _cuda_session(ort: Any, file: Path, options: Any) -> tuple[Any, str]:
    """Open a session on CUDA; returns it, or None and why not."""
    if _CUDA not in ort.get_available_providers():
        return None, "ONNX Runtime is not built for it"
    try:
        session = ort.InferenceSession(str(file), options, providers=[_CUDA, _CPU])
    except Exception as error:
        return None, str(error).partition("\n")[0]
    # A package lists CUDA if it was built for it; only a session knows whether card and libraries are there.
    return (session, "") if session.get_providers()[0] == _CUDA else (None, "no card or no libraries")


def _check_names(file: Path, session: Any, spec: ModelSpec) -> None:
    """Raise BundleError unless the graph has exactly the inputs, and at least the outputs, that the manifest names."""

    def names(of: Mapping[str, str]) -> set[str]:
        return {name.format(layer=layer) for name in of.values() for layer in range(spec.layers)}

    inputs = {value.name for value in session.get_inputs()}
    outputs = {value.name for value in session.get_outputs()}
    if names(spec.inputs) != inputs or not names(spec.outputs) <= outputs:
        raise _unusable(file, "its inputs and outputs are not those that bundle.json names")


def _unusable(file: Path, reason: str) -> BundleError:
    return BundleError(
        f"{file} cannot be loaded ({reason})",
        "the model is not loaded",
        "copy or export the model folder again, or reinstall cert-lsp",
    )


def _default_threads() -> int:
    """All of two cores, since an answer would take twice as long on one; of more, all but one for the editor."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return cores if cores <= 2 else min(_MAX_THREADS, cores - 1)
