"""Where the shared server of this user is reached: a folder for the user alone, with a socket and a lock in it.

The name holds the version and the model that the server was started for, so that windows with another one get a
server of their own. Only where there are Unix sockets and file locks, so not on Windows.
"""

import hashlib
import os
import stat
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_runtime_path

from cert_lsp import __version__
from cert_lsp.errors import ConfigError

ORDERLY, DISORDERLY = b"\0", b"\1"
"""What the shared server sends last on a connection, as no message can end so: how the client left."""


@dataclass(frozen=True, slots=True)
class Place:
    """The files of one shared server.

    Attributes:
        socket: Where it listens.
        lock: Held by whoever starts it, connects to it or leaves.
        owner: Held by the server as long as it lives, with its process id in it.
        log: What it writes on standard error.
    """

    socket: Path
    lock: Path
    owner: Path
    log: Path


def place_of(model: Path | None) -> Place:
    """Make the folder, if need be, and name the files.

    Args:
        model: The model folder that the server is started for; None for the one that is the default.

    Raises:
        ConfigError: There are no Unix sockets here, or the folder is not the user's alone.
    """
    if sys.platform == "win32":
        raise ConfigError(
            "One server for many windows needs Unix sockets, which Python does not have on Windows",
            "the server was not started",
            "use `cert-lsp serve`, one server for each window",
        )
    folder = user_runtime_path("cert-lsp", appauthor=False)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise ConfigError(
            f"The folder {folder} cannot be made ({error.strerror})",
            "the shared server has no place for its socket",
            "set XDG_RUNTIME_DIR to a folder of yours",
        ) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise ConfigError(
            f"The folder {folder} is open to others",
            "somebody else could read what you type there",
            f"make it yours alone (chmod 700 {folder}) or set XDG_RUNTIME_DIR",
        )
    key = hashlib.blake2b(f"{__version__}\n{model.resolve() if model else ''}".encode(), digest_size=6).hexdigest()
    return Place(*(folder / f"{key}.{kind}" for kind in ("sock", "lock", "owner", "log")))


@contextmanager
def locked(file: Path, *, wait: bool = True) -> Generator[bool]:
    """Hold a lock file to the end of the block; whether it could be had."""
    import fcntl

    with file.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True
