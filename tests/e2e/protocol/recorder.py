"""Stands between a client and a server and writes down what they say, as ``lsp-devtools record`` does.

Usage: python recorder.py FILE COMMAND...   FILE gets one JSON object a line,
``{"source": "client" | "server", "message": …}``; the exit code is the server's. It is not lsp-devtools, because the
agent of that (0.4.0) holds short messages back, so that no session comes to its end.
"""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import BinaryIO, NoReturn, TextIO


def pass_on(reader: BinaryIO, writer: BinaryIO, source: str, file: TextIO) -> None:
    """Pass messages on, one by one, until there are no more; then end the stream."""
    while header := reader.readline():
        while (line := reader.readline()).strip():
            header += line
        length = next(int(each.split(b":")[1]) for each in header.splitlines() if each.startswith(b"Content-Length"))
        body = reader.read(length)
        # Written down first: what has been answered was asked before.
        file.write(json.dumps({"source": source, "message": json.loads(body)}, ensure_ascii=False) + "\n")
        file.flush()
        writer.write(header + b"\r\n" + body)
        writer.flush()
    writer.close()


def main() -> NoReturn:
    with Path(sys.argv[1]).open("w", encoding="utf-8") as file:
        server = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert server.stdin
        assert server.stdout
        arguments = (sys.stdin.buffer, server.stdin, "client", file)
        threading.Thread(target=pass_on, args=arguments, daemon=True).start()
        pass_on(server.stdout, sys.stdout.buffer, "server", file)
        code = server.wait()
    os._exit(code)  # the thread that waits for input holds Python up


if __name__ == "__main__":
    main()
