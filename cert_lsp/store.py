"""The model store: published bundles side by side in one folder, and which of them is in service.

    STORE/versions/NAME-HASH/   a bundle; the hash is that of its manifest, so the same bundle has the same version
    STORE/current.json          {"current": VERSION, "earlier": [VERSION, ...]}; null stands for the embedded bundle

A bundle is copied under another name, flushed to the disk, verified and renamed, and only then `current.json` is
replaced, in one rename too. A kill or a full disk at any moment leaves what was in service there.

Not covered: two publishers at the same moment. The later one wins; the earlier one's bundle stays in the list.
"""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cert_lsp.contract.bundle import MANIFEST, load_manifest, stamp, verify
from cert_lsp.errors import BundleError

POINTER = "current.json"
EMBEDDED_NAME = "embedded"
"""How people call the bundle that comes with the package, which no store holds."""

_PARTIAL = ".incoming-"


def default_folder() -> Path:
    """The user's store: `$CERT_LSP_STORE`, else `models` in the platform's folder for users' data."""
    if named := os.environ.get("CERT_LSP_STORE"):
        return Path(named)
    from platformdirs import user_data_path  # late: most commands name a model

    return user_data_path("cert-lsp", appauthor=False) / "models"


@dataclass(frozen=True, slots=True)
class Version:
    """A published bundle.

    Attributes:
        name: Name of its folder.
        folder: Where it lies.
        published: When it came, in seconds since the epoch.
        bytes: Size of its files.
    """

    name: str
    folder: Path
    published: float
    bytes: int


@dataclass(frozen=True, slots=True)
class _Pointer:
    """What `current.json` says; None is the embedded bundle."""

    current: str | None = None
    earlier: tuple[str | None, ...] = ()


class Store:
    """A folder of published bundles; it need not exist to be read.

    Attributes:
        folder: Where it lies.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or default_folder()

    @property
    def pointer(self) -> Path:
        """The file that names the version in service; whoever follows the store watches it."""
        return self.folder / POINTER

    def versions(self) -> list[Version]:
        """What was published, the oldest first."""
        folders = self._versions.iterdir() if self._versions.is_dir() else ()
        found = [_version(folder) for folder in folders if (folder / MANIFEST).is_file()]
        return sorted(found, key=lambda version: (version.published, version.name))

    def current(self) -> Path | None:
        """Folder of the bundle in service; None for the embedded one.

        Raises:
            BundleError: `current.json` cannot be read.
        """
        name = self._read().current
        return None if name is None else self._versions / name

    def in_order(self) -> list[Path | None]:
        """Folders of the bundle in service and those before it, the embedded one (None) last.

        A server that cannot load the first goes on with the next.
        """
        pointer = self._read()
        names = [*(name for name in (pointer.current, *pointer.earlier) if name), None]
        return [None if name is None else self._versions / name for name in dict.fromkeys(names)]

    def publish(self, bundle: Path) -> Version:
        """Copy a bundle into the store and put it in service; one that is there already is put in service again.

        Raises:
            BundleError: It fails verification, or cannot be copied. What was in service stays.
        """
        manifest = verify(bundle)
        label = re.sub(r"[^\w.]+", "-", manifest.name).strip("-.")[:60] or "model"
        final = self._versions / f"{label}-{stamp(bundle / MANIFEST).sha256[:12]}"
        if not final.is_dir():
            with self._writing("the bundle is not published"):
                self._versions.mkdir(parents=True, exist_ok=True)
                self._copy(bundle, [*manifest.files, MANIFEST], final)
        self.use(final.name)
        return _version(final)

    def use(self, name: str) -> None:
        """Put a version in service; `embedded` is the bundle that comes with the package.

        Raises:
            BundleError: There is no such version, or it fails verification. What was in service stays.
        """
        wanted = None if name == EMBEDDED_NAME else name
        if wanted is not None:
            if wanted not in {version.name for version in self.versions()}:
                raise BundleError(
                    f"There is no model {name} in {self.folder}",
                    "the model in service stays",
                    "look at `cert-lsp models list`",
                )
            verify(self._versions / wanted)
        pointer = self._read_or_empty()
        if wanted != pointer.current or not self.pointer.is_file():
            self._write(_Pointer(wanted, (pointer.current, *pointer.earlier)))

    def rollback(self) -> str:
        """Put the version before the current one in service again; returns its name.

        Raises:
            BundleError: There is none before, or it fails verification. What was in service stays.
        """
        pointer = self._read()
        present = {version.name for version in self.versions()}
        earlier = [name for name in pointer.earlier if name is None or name in present]
        if not earlier:
            raise BundleError(
                "No model was in service before this one",
                "the model in service stays",
                "choose one from `cert-lsp models list` by `cert-lsp models use NAME`",
            )
        back, *rest = earlier
        if back is not None:
            verify(self._versions / back)
        self._write(_Pointer(back, tuple(rest)))
        return back or EMBEDDED_NAME

    def prune(self, keep: int) -> list[Version]:
        """Delete all versions but the one in service and the `keep` others that were published last; returns them.

        Raises:
            BundleError: A folder cannot be deleted.
        """
        pointer = self._read()
        others = [version for version in self.versions() if version.name != pointer.current]
        gone = others[: max(0, len(others) - keep)]
        names = {version.name for version in gone}
        with self._writing("old models are left"):
            # The pointer first: nothing may lead to a folder that is being deleted.
            if names & set(pointer.earlier):
                self._write(_Pointer(pointer.current, tuple(name for name in pointer.earlier if name not in names)))
            for folder in self._versions.glob(f"{_PARTIAL}*"):
                shutil.rmtree(folder)
            for version in gone:
                shutil.rmtree(version.folder)
        return gone

    @property
    def _versions(self) -> Path:
        return self.folder / "versions"

    def _copy(self, bundle: Path, names: Iterable[str], final: Path) -> None:
        """Copy a bundle's files to a folder that appears whole, on the disk, and verified."""
        partial = Path(tempfile.mkdtemp(prefix=_PARTIAL, dir=self._versions))
        try:
            for name in names:
                target = partial / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(bundle / name, target)
                _flush(target)
            verify(partial)
            partial.chmod(0o755)
            partial.rename(final)
            _flush(final.parent)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def _read(self) -> _Pointer:
        try:
            raw: dict[str, Any] = json.loads(self.pointer.read_text(encoding="utf-8"))
            return _Pointer(_name(raw["current"]), tuple(map(_name, raw["earlier"])))
        except FileNotFoundError:
            return _Pointer()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BundleError(
                f"{self.pointer} cannot be read ({type(error).__name__}: {error})",
                "which model is in service is not known",
                "choose one by `cert-lsp models use NAME`, or `embedded` for the one that comes with the package",
            ) from error

    def _read_or_empty(self) -> _Pointer:
        """As `_read`; where it is damaged, choosing a version must mend it."""
        try:
            return self._read()
        except BundleError:
            return _Pointer()

    def _write(self, pointer: _Pointer) -> None:
        """Replace the pointer in one step; of versions that were in service before, each is kept once."""
        earlier = [name for name in dict.fromkeys(pointer.earlier) if name != pointer.current]
        with self._writing("the model in service stays"):
            self.folder.mkdir(parents=True, exist_ok=True)
            partial = self.pointer.with_name(f".{POINTER}.{os.getpid()}")
            try:
                partial.write_text(json.dumps({"current": pointer.current, "earlier": earlier}) + "\n", "utf-8")
                _flush(partial)
                partial.replace(self.pointer)
            finally:
                partial.unlink(missing_ok=True)
            _flush(self.folder)

    @contextmanager
    def _writing(self, consequence: str) -> Generator[None]:
        try:
            yield
        except OSError as error:
            there = next((each for each in (self.folder, *self.folder.parents) if each.exists()), Path.cwd())
            free = shutil.disk_usage(there).free / 1e6
            raise BundleError(
                f"{self.folder} cannot be written ({error})",
                consequence,
                f"{free:,.0f} MB are free on that disk: make room or change its rights, then try again",
            ) from error


def _version(folder: Path) -> Version:
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Version(folder.name, folder, (folder / MANIFEST).stat().st_mtime, size)


def describe(folder: Path) -> str:
    """Say in a few words what a bundle is; never fails for one that is damaged."""
    try:
        manifest = load_manifest(folder)
    except BundleError as error:
        return f"cannot be used: {error.cause}"
    return f"{manifest.layout}, {manifest.quantization}, base {manifest.base.get('name', 'unknown')}"


def _name(value: object) -> str | None:
    if value is not None and (not isinstance(value, str) or Path(value).name != value):
        raise ValueError(f"{value!r} is no version")
    return value


def _flush(path: Path) -> None:
    """Have the system write a file, or a folder's entries, to the disk; Windows cannot do so for folders."""
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
