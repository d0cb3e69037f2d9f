"""``cert-lsp serve``: the language server."""

import logging
from argparse import Namespace

from cert_lsp.loading import Models
from cert_lsp.place import place_of
from cert_lsp.server import build_server, open_engine
from cert_lsp.settings import Settings
from cert_lsp.transport import serve_stdio, serve_tcp


def run(arguments: Namespace) -> int:
    """Serve until the client leaves; over TCP, until interrupted; as daemon, until nobody was connected for long.

    Raises:
        ConfigError: The address cannot be listened on.
    """
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")  # to standard error
    logging.getLogger("cert_lsp").setLevel(arguments.log_level.upper())
    logging.getLogger("pygls").setLevel(logging.CRITICAL + 1)  # it writes parameters, so the user's text, at any level
    defaults = Settings(model=arguments.model)
    models = Models(open_engine)
    if arguments.daemon:
        from cert_lsp.daemon import serve_daemon  # late: needs Unix sockets

        place = place_of(arguments.model)
        return serve_daemon(lambda: build_server(defaults, models), place, arguments.idle)
    if arguments.tcp:
        return serve_tcp(lambda: build_server(defaults, models), *arguments.tcp)
    serve_stdio(build_server(defaults, models))
