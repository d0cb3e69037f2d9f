"""``cert-lsp stop``: the end of the server that all windows share; windows that are open start another."""

import os
import signal
import sys
from argparse import Namespace

from cert_lsp.place import locked, place_of


def run(arguments: Namespace) -> int:
    """End the shared server, whatever state it is in, and wait until it is gone.

    Raises:
        ConfigError: There are no Unix sockets here, or the folder is not the user's alone.
    """
    place = place_of(arguments.model)
    with locked(place.lock):  # nobody starts one meanwhile
        with locked(place.owner, wait=False) as nobody:
            if nobody:
                sys.stdout.write("The shared server is not running.\n")
                return 0
        os.kill(int(place.owner.read_text()), signal.SIGKILL)  # it has nothing to save, and may hang
        with locked(place.owner):
            sys.stdout.write("The shared server has been stopped.\n")
    return 0
