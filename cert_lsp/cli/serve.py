"""``cert-lsp serve``: the language server."""

import logging
from argparse import Namespace

from cert_lsp.loading import Models
from cert_lsp.server import build_server, open_engine
from cert_lsp.settings import Settings
from cert_lsp.transport import serve_stdio, serve_tcp


def run(arguments: Namespace) -> int:
    """Serve until the client leaves; over TCP, until the process is interrupted.

    Raises:
        ConfigError: The TCP address cannot be listened on.
    """
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")  # to standard error
    logging.getLogger("cert_lsp").setLevel(arguments.log_level.upper())
    logging.getLogger("pygls").setLevel(logging.CRITICAL + 1)  # it writes parameters, so the user's text, at any level
    defaults = Settings(model=arguments.model)
    if arguments.tcp:
        models = Models(open_engine)
        return serve_tcp(lambda: build_server(defaults, models), *arguments.tcp)
    serve_stdio(build_server(defaults))
