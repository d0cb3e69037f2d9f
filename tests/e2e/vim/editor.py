"""Drives Vim in a pseudo terminal: keys go in, and what it is at comes out as a file, written by a timer in Vim."""

import json
import os
import pty
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

PATIENCE = 60.0  # seconds until a test gives up on what it waits for

TELL = """
function! TellState(timer) abort
  let state = #{text: getline(1, '$'), rows: pumvisible() ? complete_info(['items']).items : []}
  let running = filter(job_info(), {_, job -> job_status(job) ==# 'run'})
  let state.connections = len(filter(running, {_, job -> join(job_info(job).cmd) =~# 'cert-lsp'}))
  call writefile([json_encode(state)], $VIM_STATE .. '.new')
  call rename($VIM_STATE .. '.new', $VIM_STATE)
endfunction
call timer_start(50, function('TellState'), #{repeat: -1})
"""


class Editor:
    """One Vim with a file open.

    Args:
        vimrc: Its configuration, in place of the user's.
        file: File to open.
        environment: All variables.
    """

    def __init__(self, vimrc: str, file: Path, environment: dict[str, str]) -> None:
        self._last: dict[str, Any] = {"text": [], "rows": [], "connections": 0}
        self._state = file.with_name("state.json")
        config = file.with_name("vimrc")
        config.write_text(f"{vimrc}\n{TELL}", encoding="utf-8")
        self._terminal, terminal = pty.openpty()
        os.set_blocking(self._terminal, False)
        command = ["vim", "-N", "-u", str(config), "-i", "NONE", file.name]
        variables = {**environment, "VIM_STATE": str(self._state), "TERM": "xterm", "LC_ALL": "C.UTF-8"}
        self._process = subprocess.Popen(
            command, cwd=file.parent, env=variables, stdin=terminal, stdout=terminal, stderr=terminal
        )
        os.close(terminal)

    def type(self, keys: str) -> None:
        """Press keys, as a terminal sends them: control characters for themselves."""
        os.write(self._terminal, keys.encode())

    def state(self) -> dict[str, Any]:
        """Text as a list of lines, the rows of the popup, and how many connections to a server there are."""
        with suppress(BlockingIOError):
            os.read(self._terminal, 1 << 20)  # a full terminal would hold Vim up
        with suppress(FileNotFoundError):  # not yet, or just being replaced
            self._last = json.loads(self._state.read_text("utf-8"))
        return self._last

    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.state()["text"])

    def wait(self, condition: Callable[[], object], what: str) -> None:
        """Look at `condition` until it holds.

        Raises:
            AssertionError: It did not hold in time, or Vim has left; tells what Vim was at.
        """
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert self._process.poll() is None, f"Vim has left, before {what}"
            assert time.monotonic() < deadline, f"waited {PATIENCE:g} s for {what}: {self.state()}"
            time.sleep(0.05)

    def close(self) -> None:
        """End Vim, and with it its connection."""
        self._process.kill()  # asked to end, it would first write to a terminal that nobody reads any more
        self._process.wait()
        os.close(self._terminal)
