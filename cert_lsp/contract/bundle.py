"""A model folder ("bundle") describes itself: ``bundle.json`` names its layout, graphs, markers, versions and hashes.

The server refuses what was made for another version of the contract, or what is damaged, with cause and remedy, before
a wrong completion can reach anyone.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from cert_lsp.contract.prompt import PROMPT_VERSION, Layout, Marker, Role
from cert_lsp.contract.sketch import SKETCH_VERSION
from cert_lsp.errors import BundleError

FORMAT = 1
MANIFEST = "bundle.json"
EMBEDDED = Path(__file__).parents[1] / "models" / "embedded"

_ROLES = {
    Layout.JOINT: {Role.JOINT},
    Layout.PAPER: {Role.SKETCHER, Role.GENERATOR},
    Layout.PLAIN: {Role.PLAIN},
}


@dataclass(frozen=True)
class ModelSpec:
    """One ONNX graph and the names of its inputs and outputs.

    Attributes:
        file: Graph file, relative to the bundle.
        layers: Number of decoder layers, each with a key and a value cache.
        kv_heads: Key-value heads per layer.
        head_dim: Width of one head.
        vocab_size: Width of the logits.
        context: Longest sequence in tokens.
        cache: ``shared``: one preallocated buffer is past and present at once (GroupQueryAttention);
            ``growing``: present is past with the new tokens appended.
        cache_dtype: Element type of the cache.
        inputs: Role of each graph input -> its name in the graph.
        outputs: Role of each graph output -> its name in the graph.
    """

    file: str
    layers: int
    kv_heads: int
    head_dim: int
    vocab_size: int
    context: int
    cache: Literal["shared", "growing"]
    cache_dtype: Literal["float32", "float16"]
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]


@dataclass(frozen=True)
class FileStamp:
    """Size in bytes and SHA-256, in hexadecimal, of one file of the bundle."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class Manifest:
    """What ``bundle.json`` says.

    Attributes:
        name: Name for people.
        layout: How prompts are laid out for these models.
        models: One graph for each role of the layout.
        markers: Reserved tokens of the vocabulary that mark sketch, code and end.
        quantization: Format of the weights, for people.
        base: Name and hash of the checkpoint that training began from.
        training: Free description of the training: config, tokens seen, losses.
        tokenizer: Tokenizer file, relative to the bundle.
        idioms: File of n-grams that speed the model up, relative to the bundle; None if it has none.
        files: Stamp of every file but the manifest.
    """

    name: str
    layout: Layout
    models: Mapping[Role, ModelSpec]
    markers: Mapping[Marker, str]
    quantization: str
    base: Mapping[str, str]
    training: Mapping[str, Any]
    tokenizer: str = "tokenizer.json"
    idioms: str | None = None
    files: Mapping[str, FileStamp] = field(default_factory=dict[str, FileStamp])
    format: int = FORMAT
    sketch_version: int = SKETCH_VERSION
    prompt_version: int = PROMPT_VERSION


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``bundle.json``, stamping every other file that lies in `folder` now."""
    stamps = {
        path.relative_to(folder).as_posix(): asdict(stamp(path))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }
    text = json.dumps(asdict(manifest) | {"files": stamps}, indent=2, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def load_manifest(folder: Path) -> Manifest:
    """Read ``bundle.json`` and check its versions; `verify` also checks the files.

    Raises:
        BundleError: If it is missing, unreadable, incomplete, or made for other versions of the contract.
    """
    path = folder / MANIFEST
    try:
        raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BundleError(
            f"{folder} holds no model ({MANIFEST} is missing)",
            "nothing can be completed",
            "name a folder made by `python -m export`, or reinstall cert-lsp for the model that comes with it",
        ) from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise damaged(path, str(error)) from error
    _check_versions(folder, raw)
    try:
        fields: dict[str, Any] = raw | {
            "layout": Layout(raw["layout"]),
            "models": {Role(role): ModelSpec(**spec) for role, spec in raw["models"].items()},
            "markers": {Marker(marker): token for marker, token in raw["markers"].items()},
            "files": {name: FileStamp(**entry) for name, entry in raw["files"].items()},
        }
        manifest = Manifest(**fields)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged(path, f"{type(error).__name__}: {error}") from error
    if set(manifest.models) != _ROLES[manifest.layout]:
        raise damaged(path, f"layout '{manifest.layout}' does not go with the models {sorted(manifest.models)}")
    return manifest


def verify(folder: Path) -> Manifest:
    """Read the manifest and compare every file with its stamp.

    Raises:
        BundleError: As `load_manifest`, and if a file is missing or differs.
    """
    manifest = load_manifest(folder)
    for name, expected in manifest.files.items():
        path = folder / name
        try:
            found = stamp(path)
        except OSError as error:
            raise damaged(path, f"{error.strerror or error}") from error
        if found != expected:
            raise damaged(path, f"{found.bytes} bytes, {expected.bytes} expected; or their hash differs")
    return manifest


def check_sizes(folder: Path, manifest: Manifest) -> None:
    """Compare file sizes alone: what a start can afford; `verify` reads everything.

    Raises:
        BundleError: If a file is missing or of another size.
    """
    for name, expected in manifest.files.items():
        path = folder / name
        size = path.stat().st_size if path.is_file() else None
        if size != expected.bytes:
            raise damaged(path, "it is missing" if size is None else f"{size} bytes, {expected.bytes} expected")


def stamp(path: Path) -> FileStamp:
    """Return size and SHA-256 of a file."""
    with path.open("rb") as file:
        return FileStamp(hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size)


def weights_sha256(folder: Path) -> str:
    """Return the SHA-256 of a checkpoint's weights: the file's own, or that of the shards' digests in order of names.

    An adapter names its base by it, so that trainer and export join it to no other.
    """
    digests = [stamp(path).sha256 for path in sorted(folder.glob("model*.safetensors"))]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def _check_versions(folder: Path, raw: Mapping[str, Any]) -> None:
    ours = {"format": FORMAT, "sketch_version": SKETCH_VERSION, "prompt_version": PROMPT_VERSION}
    theirs = {key: raw.get(key) for key in ours}
    if theirs != ours:
        wrong = ", ".join(f"{key} {theirs[key]} instead of {ours[key]}" for key in ours if theirs[key] != ours[key])
        raise BundleError(
            f"the model in {folder} was made for another version ({wrong})",
            "its completions would be wrong, so it is not loaded",
            "export it again with this version's `python -m export`",
        )


def damaged(path: Path, reason: str) -> BundleError:
    """Return the error for a file of a bundle that cannot be used."""
    return BundleError(
        f"{path} is damaged ({reason})",
        "the model is not loaded",
        "copy or export the model folder again, or reinstall cert-lsp",
    )
