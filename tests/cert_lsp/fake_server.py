"""Runs the real server over standard input and output, or TCP, with a fake engine.

Usage: python -m tests.cert_lsp.fake_server SECONDS_TO_LOAD SECONDS_TO_DECODE [HOST:PORT]. A negative loading time is a
damaged model, and so is one in a folder of that name.
"""

import logging
import sys
import time

from cert_lsp import transport
from cert_lsp.errors import BundleError
from cert_lsp.features import feedback
from cert_lsp.loading import Models
from cert_lsp.server import build_server
from cert_lsp.settings import Settings
from tests.cert_lsp.fakes import FakeEngine


def main() -> int:
    logging.getLogger("pygls").setLevel(logging.CRITICAL + 1)
    transport.WATCH_SECONDS = 0.3
    feedback.KEPT_SECONDS = 0.5
    loading, decoding = float(sys.argv[1]), float(sys.argv[2])

    def open_engine(settings: Settings) -> FakeEngine:
        time.sleep(abs(loading))
        name = settings.model.name if settings.model else "fake"
        if loading < 0 or name == "damaged":
            raise BundleError("The model is damaged", "there will be no completions", "install it again")
        sys.stdout.write("a library prints something\n")
        sys.stdout.flush()
        return FakeEngine(decoding, name)

    if len(sys.argv) > 3:
        host, _, port = sys.argv[3].rpartition(":")
        models = Models(open_engine)
        return transport.serve_tcp(lambda: build_server(models=models), host, int(port))
    transport.serve_stdio(build_server(models=Models(open_engine)))


if __name__ == "__main__":
    sys.exit(main())
