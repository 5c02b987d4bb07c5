"""Processes of `countersign run`, each forked from one that has loaded the program and done nothing else.

Loading is seven tenths of a CPU second, the larger part of a bot's start. What is forked runs `python -m bot run` with an
environment, a log and a process id of its own; it is killed, stopped and frozen as any other.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import gc
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from io import BufferedWriter
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
LARGEST = 1 << 16  # bytes of an environment
READ_AT_THE_START = (
    "PYTHON",
    "LD_",
    "LC_",
    "LANG",
    "TZ",
    "MALLOC_",
    "OPENSSL_",
    "SSL_",
)  # by the interpreter and its libraries


class Forked:
    """As `asyncio.subprocess.Process`, as far as tests use one."""

    def __init__(self, pid: int, report: socket.socket) -> None:
        self.pid, self._report = pid, report
        self.returncode: int | None = None
        self._ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(report, self._read)

    def _read(self) -> None:
        self._loop.remove_reader(self._report)
        with self._report:
            self.returncode = int(self._report.recv(LARGEST))
        self._ended.set()

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        await self._ended.wait()
        assert self.returncode is not None
        return self.returncode


def is_as_started(environment: Mapping[str, str]) -> bool:
    """Whether a fork is what a start would be. It is not where something is read at the start that is another here."""
    names = [name for name in {*environment, *os.environ} if name.startswith(READ_AT_THE_START)]
    return sys.platform == "linux" and all(environment.get(name) == os.environ.get(name) for name in names)


async def run(environment: Mapping[str, str], log: BufferedWriter) -> Forked:
    """`countersign run` with this environment and no other; what it prints goes to `log`."""
    mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        words = "\0".join(f"{name}={value}" for name, value in environment.items())
        socket.send_fds(loaded(), [os.fsencode(words)], [log.fileno(), theirs.fileno()])
    mine.setblocking(False)
    return Forked(int(await asyncio.get_running_loop().sock_recv(mine, LARGEST)), mine)


@functools.cache
def loaded() -> socket.socket:
    """To the process that forks; it ends when nobody holds this any more."""
    mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        words = [sys.executable, "-m", "tests.end_to_end.forked", str(theirs.fileno())]
        process = subprocess.Popen(words, cwd=REPOSITORY, pass_fds=[theirs.fileno()])
    atexit.register(process.wait, 30)
    atexit.register(mine.close)
    return mine


# In the process that forks.


def _asked_for(control: socket.socket) -> list[str]:
    """Forks whenever it is asked to, and returns in the child with the words of its environment. Once nobody can ask any more it
    kills what still runs, and exits."""
    running: dict[int, tuple[int, socket.socket]] = {}  # by its descriptor: a child's id, and who wants to know its end
    with contextlib.closing(selectors.DefaultSelector()) as selector:
        selector.register(control, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fd in running:
                    selector.unregister(key.fd)
                    _tell_the_end(key.fd, *running.pop(key.fd))
                    continue
                words, given, *_ = socket.recv_fds(control, LARGEST, 2)
                if not words:
                    for pid, _report in running.values():
                        os.kill(pid, signal.SIGKILL)
                    sys.exit()
                log, report = given[0], socket.socket(fileno=given[1])
                if not (pid := os.fork()):
                    _keep_only(log, [control, report, *(other for _, other in running.values())], [*running])
                    return os.fsdecode(words).split("\0")
                os.close(log)
                report.send(str(pid).encode())
                running[fd := os.pidfd_open(pid)] = pid, report
                selector.register(fd, selectors.EVENT_READ)


def _keep_only(log: int, sockets: list[socket.socket], descriptors: list[int]) -> None:
    """In the child: nothing is open but what a start has."""
    for one in sockets:
        one.close()
    for number in descriptors:
        os.close(number)
    os.dup2(log, sys.stdout.fileno())
    os.dup2(log, sys.stderr.fileno())
    os.close(log)


def _tell_the_end(descriptor: int, pid: int, report: socket.socket) -> None:
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(descriptor)
    with report, contextlib.suppress(BrokenPipeError):
        report.send(str(code).encode())


def main() -> None:
    gc.disable()
    from bot.app import serve  # noqa: F401  what `run` loads, and no more
    from bot.cli.main import app  # noqa: F401

    gc.freeze()
    environment = _asked_for(socket.socket(fileno=int(sys.argv[1])))
    gc.enable()
    os.environ.clear()
    os.environ.update(word.split("=", 1) for word in environment)
    sys.argv = ["countersign", "run"]
    runpy.run_module("bot", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
