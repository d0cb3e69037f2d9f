"""The command ``cert-lsp``: reads its arguments first and imports what a command needs after that."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from cert_lsp import __version__
from cert_lsp.errors import CertError

OK, FAILURE, USAGE = 0, 1, 2

_ADDRESS = """\
FILE:LINE[:COL] is the place of the cursor. Lines and columns count from 1, columns in characters (code points);
COL 1 is before the first character, and without COL the cursor is at the end of the line. In a notebook (.ipynb)
the lines are those of its code cells, one after the other.
"""
_MODELS = """\
Published models lie side by side in the store, one of them is in service, and `embedded`, which comes with the package,
is always there. One that is damaged is refused. $CERT_LSP_STORE names another store than the user's.
"""
_ACTIONS = {
    "list": "tell what was published; * is in service",
    "publish": "copy a bundle into the store and put it in service",
    "use": "put a version in service",
    "rollback": "put the version before this one in service again",
    "prune": "delete old versions, never the one in service",
}
_EXITS = "exit codes: 0 done (also when there is nothing to offer), 1 failure with a message, 2 wrong usage"
_DESCRIPTION = "Pandas and NumPy code from comments, by way of a sketch, on this machine alone."
_EXAMPLES = f"""\
examples:
  cert-lsp complete examples/flights.py:9         what the editor would insert after line 7
  cert-lsp complete notebook.ipynb:12 -n 3 --json three answers, for a script
  cert-lsp sketch script.py:7                     the sketches behind the answers
  echo 'df[df.a > 1]' | cert-lsp sketch -         the sketch of a piece of code
  cert-lsp serve                                  the language server; editors start this
  cert-lsp doctor                                 is everything in order?
  cert-lsp models rollback                        back to the model before this one

{_EXITS}
"""


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("cert-lsp", description=_DESCRIPTION, epilog=_EXAMPLES, formatter_class=raw)
    parser.add_argument("--version", action="version", version=f"cert-lsp {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, summary: str, details: str = "") -> argparse.ArgumentParser:
        return commands.add_parser(
            name, help=summary, description=f"{summary}.\n\n{details}", epilog=_EXITS, formatter_class=raw
        )

    complete = command("complete", "print the code that belongs at a place in a file", _ADDRESS)
    complete.add_argument("address", metavar="FILE:LINE[:COL]")
    complete.add_argument("-n", "--candidates", type=_count, default=1, metavar="N", help="answers wanted (default: 1)")

    sketch = command(
        "sketch",
        "print the sketches that the intent at a place suggests, or the sketch of code on standard input",
        _ADDRESS,
    )
    sketch.add_argument("address", metavar="FILE:LINE[:COL] | -", help="a place, or - to read code")
    sketch.add_argument("-n", "--candidates", type=_count, default=3, metavar="N", help="sketches wanted (default: 3)")
    sketch.add_argument(
        "--variant",
        choices=["constants", "names", "both"],
        default="constants",
        help="with -: what the sketch leaves out (default: constants, as the models are trained)",
    )

    serve = command("serve", "run the language server", "Without --tcp it speaks over standard input and output.")
    transport = serve.add_mutually_exclusive_group()
    transport.add_argument("--stdio", action="store_true", help="standard input and output (the default)")
    transport.add_argument("--tcp", type=_host_port, metavar="HOST:PORT", help="listen there; port 0 takes a free one")
    transport.add_argument(
        "--daemon", action="store_true", help="a socket of this user's, for `cert-lsp connect`; not on Windows"
    )
    serve.add_argument(
        "--log-level",
        choices=["debug", "info", "warning", "error"],
        default="warning",
        help="what to tell on standard error; never your text (default: warning)",
    )

    connect = command(
        "connect",
        "connect standard input and output to the server that all windows share",
        "The server is started if it is not there. Editors start this in place of serve; not on Windows.",
    )
    for each in (serve, connect):
        each.add_argument(
            "--idle",
            type=_seconds,
            default=600.0,
            metavar="SECONDS",
            help="how long the shared server stays when no window is connected (default: 600)",
        )

    stop = command("stop", "stop the server that all windows share", "Windows that are open start another.")
    doctor = command("doctor", "check the installation, the model and what the model answers")
    models = command("models", "list the published models, and choose the one in service", _MODELS)
    actions = models.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, summary in _ACTIONS.items():
        action = actions.add_parser(name, help=summary, description=summary, epilog=_EXITS, formatter_class=raw)
        if name == "use":
            action.add_argument("name", metavar="NAME", help="as `list` tells it; `embedded` comes with the package")
        elif name == "publish":
            action.add_argument("bundle", type=Path, metavar="DIR", help="folder of a model bundle")
        elif name == "prune":
            action.add_argument(
                "--keep", type=_keep, default=2, metavar="N", help="others to keep, the newest (default: 2)"
            )
        action.add_argument(
            "--store", type=Path, metavar="DIR", help="the store (default: $CERT_LSP_STORE, else the user's)"
        )
        action.add_argument("--json", action="store_true", help="print one JSON object, for scripts")

    embedded = os.environ.get("CERT_LSP_MODEL")
    for each in (complete, sketch, serve, connect, stop, doctor):
        each.add_argument(
            "--model",
            type=Path,
            metavar="DIR",
            default=Path(embedded) if embedded else None,
            help="folder of a model bundle (default: $CERT_LSP_MODEL, else the one in service; see `cert-lsp models`)",
        )
    for each in (complete, sketch):
        each.add_argument(
            "--neighbours",
            type=Path,
            metavar="FILE",
            help="look up nearly the same intents of your team, as the setting",
        )
    for each in (complete, sketch, doctor):
        each.add_argument("--json", action="store_true", help="print one JSON object, for scripts")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit code: 0 done, 1 failure with a message on standard error. Wrong usage exits with 2.
    """
    arguments = build_parser().parse_args(argv)
    if reconfigure := getattr(sys.stdout, "reconfigure", None):
        reconfigure(errors="backslashreplace")  # a character that the terminal lacks is no reason to fail
    try:
        code = import_module(f"cert_lsp.cli.{arguments.command}").run(arguments)
        sys.stdout.flush()
    except CertError as error:
        sys.stderr.write(f"cert-lsp: {error}\n")
        return FAILURE
    except OSError as error:
        if not isinstance(error, BrokenPipeError):  # that reader has seen enough, as `head` does
            sys.stderr.write(f"cert-lsp: {error}.\n")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python fails once more when it ends
        return FAILURE
    except KeyboardInterrupt:
        return 130
    return code


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 10:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 10")
    return int(text)


def _keep(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return seconds


def _host_port(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT, such as 127.0.0.1:7007")
    return host.strip("[]"), int(port)


if __name__ == "__main__":
    sys.exit(main())
