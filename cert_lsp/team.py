"""The file of a team's intents that the settings name, read again whenever it has changed.

`python -m trainer watch` exchanges it while servers run. A file that is gone for a moment, or half written by something
else, leaves in use what was read before. For a thread that may wait for a disk, not for the event loop.
"""

import logging
from pathlib import Path

from cert_lsp.engine.neighbours import Neighbours
from cert_lsp.errors import NeighboursError

logger = logging.getLogger(__name__)

_kept: dict[Path, tuple[tuple[int, int], Neighbours]] = {}


def neighbours_in(path: Path) -> Neighbours:
    """Return what a file holds.

    Raises:
        NeighboursError: It cannot be read, and never could since the start.
    """
    state = _state(path)
    if path not in _kept or (state and state != _kept[path][0]):
        try:
            _kept[path] = state or (0, 0), Neighbours.load(path)
        except NeighboursError as error:
            if path not in _kept:
                raise
            logger.warning("%s What was read before is used.", error)
            _kept[path] = state or (0, 0), _kept[path][1]
    return _kept[path][1]


def _state(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from what it was before; None if it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
