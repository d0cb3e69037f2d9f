"""The peers: llama.cpp and onnxruntime-genai, on our own weights, with our prompts as token ids.

Each writes a given number of tokens greedily and does not stop at the end token, so that all have the same work.
"""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Protocol

from cert_lsp.contract.bundle import load_manifest
from cert_lsp.errors import BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds of one answer: all of it, reading the prompt, writing."""

    total: float
    prefill: float
    decode: float


class Peer(Protocol):
    """Another engine with the bundle's weights."""

    name: str
    version: str

    def run(self, prompt: Sequence[int], tokens: int, *, warm: bool) -> Run:
        """Write `tokens` tokens behind `prompt`; `warm` keeps what the last prompt left in the cache."""
        ...


class LlamaCpp:
    """llama.cpp's server code in this process (PyPI: xllamacpp), with the weights as Q8_0."""

    name = "llama.cpp"

    def __init__(self, bundle: Path, folder: Path, threads: int) -> None:
        import xllamacpp

        from benchmarks.gguf_file import write_gguf

        file = folder / "model.gguf"
        write_gguf(bundle, file)
        settings = xllamacpp.CommonParams()
        settings.model.path = str(file)
        settings.n_ctx = 2048
        settings.n_parallel = 1
        settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = threads
        settings.verbosity = -1
        self._server = xllamacpp.Server(settings)
        self.version = f"xllamacpp {version('xllamacpp')}"

    def run(self, prompt: Sequence[int], tokens: int, *, warm: bool) -> Run:
        """See `Peer.run`; prefill and decode are llama.cpp's own figures."""
        text, run = self.write(prompt, tokens, warm=warm)
        del text
        return run

    def write(self, prompt: Sequence[int], tokens: int, *, warm: bool) -> tuple[str, Run]:
        """Return what it writes as well.

        Raises:
            BenchmarkError: If it wrote another number of tokens.
        """
        question = {"prompt": list(prompt), "max_tokens": tokens, "temperature": 0.0, "ignore_eos": True}
        begun = time.perf_counter()
        answer = self._server.handle_completions({**question, "cache_prompt": warm})
        total = time.perf_counter() - begun
        timings = answer.get("timings", {})
        if timings.get("predicted_n") != tokens:
            raise BenchmarkError(f"llama.cpp wrote {timings.get('predicted_n')} tokens in place of {tokens}")
        run = Run(total, timings["prompt_ms"] / 1000, timings["predicted_ms"] / 1000)
        return answer["choices"][0]["text"], run


class Genai:
    """onnxruntime-genai over the bundle's own graph, whose `length` and `keep` are worked out from its mask."""

    name = "onnxruntime-genai"

    def __init__(self, bundle: Path, folder: Path, threads: int) -> None:
        import onnxruntime_genai

        self._genai = onnxruntime_genai
        _write_genai_folder(bundle, folder, threads)
        self._model = onnxruntime_genai.Model(str(folder))
        self.version = f"onnxruntime-genai {version('onnxruntime-genai')}"

    def run(self, prompt: Sequence[int], tokens: int, *, warm: bool) -> Run:
        """See `Peer.run`; it keeps no cache from one answer to the next, so `warm` is refused.

        Raises:
            BenchmarkError: If `warm` is asked for.
        """
        if warm:
            raise BenchmarkError("onnxruntime-genai has no prompt cache")
        begun = time.perf_counter()
        parameters = self._genai.GeneratorParams(self._model)
        length = len(prompt) + tokens
        parameters.set_search_options(do_sample=False, min_length=length, max_length=length)
        generator = self._genai.Generator(self._model, parameters)
        generator.append_tokens(list(prompt))
        generator.generate_next_token()  # what was appended may be read only now
        read = time.perf_counter()
        for _ in range(tokens - 1):
            generator.generate_next_token()
        ended = time.perf_counter()
        return Run(ended - begun, read - begun, ended - read)


def _write_genai_folder(bundle: Path, folder: Path, threads: int) -> None:
    """Write the graph with genai's inputs and its ``genai_config.json``; weights are copied."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    manifest = load_manifest(bundle)
    [spec] = manifest.models.values()
    model = onnx.load(bundle / spec.file, load_external_data=False)
    graph = model.graph
    known = {value.name: value for value in graph.input}
    for name in (spec.inputs["length"], spec.inputs["keep"]):
        graph.input.remove(known[name])
    graph.input.append(helper.make_tensor_value_info("attention_mask", TensorProto.INT64, [1, "total"]))
    for name in ("one_token", "axis_1"):
        graph.initializer.append(numpy_helper.from_array(np.array([1], np.int64), name))
    nodes = [
        helper.make_node("ReduceSum", ["attention_mask", "axis_1"], ["mask_sum"], keepdims=0),
        helper.make_node("Cast", ["mask_sum"], [spec.inputs["length"]], to=TensorProto.INT32),
        helper.make_node("Identity", ["one_token"], [spec.inputs["keep"]]),
    ]
    for node in reversed(nodes):
        graph.node.insert(0, node)
    logits = spec.outputs["logits"]  # genai wants a row for each token and reads the last: they are all the last
    last = next(node for node in graph.node if logits in node.output)
    last.output[0] = "last_logits"
    graph.node.extend(
        [
            helper.make_node("Shape", [spec.inputs["ids"]], ["ids_shape"]),
            helper.make_node("Concat", ["ids_shape", "axis_1"], ["logits_shape"], axis=0),
            helper.make_node("Expand", ["last_logits", "logits_shape"], [logits]),
        ]
    )
    known = {value.name: value for value in graph.output}
    known[logits].type.tensor_type.shape.dim[1].dim_param = "n"
    for file in bundle.glob("*.data"):
        shutil.copyfile(file, folder / file.name)
    onnx.save(model, folder / spec.file)
    heads = _attribute(model, "GroupQueryAttention", "num_heads")
    past = {key: spec.inputs[key].replace("{layer}", "%d") for key in ("past_key", "past_value")}
    present = {key: spec.outputs[key].replace("{layer}", "%d") for key in ("present_key", "present_value")}
    config = {
        "model": {
            "type": "llama",
            "bos_token_id": 0,
            "eos_token_id": 0,
            "pad_token_id": 0,
            "vocab_size": spec.vocab_size,
            "context_length": spec.context,
            "decoder": {
                "filename": spec.file,
                "session_options": {"intra_op_num_threads": threads, "provider_options": []},
                "hidden_size": heads * spec.head_dim,
                "head_size": spec.head_dim,
                "num_attention_heads": heads,
                "num_key_value_heads": spec.kv_heads,
                "num_hidden_layers": spec.layers,
                "inputs": {
                    "input_ids": spec.inputs["ids"],
                    "attention_mask": "attention_mask",
                    "past_key_names": past["past_key"],
                    "past_value_names": past["past_value"],
                },
                "outputs": {
                    "logits": spec.outputs["logits"],
                    "present_key_names": present["present_key"],
                    "present_value_names": present["present_value"],
                },
            },
        },
        "search": {"past_present_share_buffer": True, "max_length": spec.context, "do_sample": False},
    }
    (folder / "genai_config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")


def _attribute(model: Any, kind: str, name: str) -> int:
    node = next(node for node in model.graph.node if node.op_type == kind)
    return next(attribute.i for attribute in node.attribute if attribute.name == name)
