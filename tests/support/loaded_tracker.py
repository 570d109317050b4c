"""Commands of `tracker` in separate processes, forked from a process that has imported them.

Importing a command takes more than a second of a busy core. Apart from that the commands equal those of
a shell: arguments, environment, directory, standard streams, signals and exit are separate.
"""

import array
import atexit
import gc
import json
import os
import resource
import select
import signal
import socket
import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.support.clocks import REAL_CLOCK, fix_day

MAX_REQUEST_BYTES = 200_000
STREAMS = 4
"""Streams of a request: standard input, output and error, and the channel for the process id."""
ROOT = Path(__file__).parents[2]


class Forked:
    """A running command, with the used methods of `subprocess.Popen`."""

    def __init__(
        self,
        arguments: list[str],
        stdin: int,
        stdout: int,
        stderr: int,
        env: dict[str, str],
        descriptors: int | None = None,
    ):
        self.arguments = arguments
        self.returncode: int | None = None
        reading, told = os.pipe()
        self._told = os.fdopen(reading, "rb", buffering=0)
        request = {"arguments": arguments, "env": env, "cwd": os.getcwd(), "files": descriptors}
        try:
            loaded().send(request, [stdin, stdout, stderr, told])
        finally:
            os.close(told)
        self.pid = int(self._told.readline())

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal; None while it runs."""
        if self.returncode is None and select.select([self._told], [], [], 0)[0]:
            self.returncode = int(self._told.readline())
            self._told.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit code. Raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            select.select([self._told], [], [], timeout)
        if self.poll() is None:
            raise subprocess.TimeoutExpired(self.arguments, timeout or 0)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)


class Loaded:
    """A process with all imports of a command, which forks commands."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for one in (self._socket, theirs):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * MAX_REQUEST_BYTES)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                cwd=ROOT,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        atexit.register(self.end)

    def send(self, request: dict[str, Any], streams: list[int]) -> None:
        """Start a command; the last stream gets its process id."""
        passed = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", streams))]
        self._socket.sendmsg([json.dumps(request).encode()], passed)

    def end(self) -> None:
        """End the process; running commands continue."""
        self._socket.close()
        self._process.wait()


@cache
def loaded() -> Loaded:
    """Return the forking process of this test process."""
    return Loaded()


def main() -> None:
    """Fork commands until the tests have ended; run the command in each fork."""
    import deploy.cli.main
    import deploy.web.app
    import schema.app  # noqa: F401
    from deploy.cli.main import COMMANDS
    from projections.registry import PROJECTIONS
    from projections.runner.fingerprint import fingerprint

    for module, _ in COMMANDS.values():
        import_module(module)
    for make in PROJECTIONS.values():
        fingerprint(make())
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=int(sys.argv[1])) as requests:
        while True:
            text, streams = receive(requests)
            if not text:
                return
            if os.fork() == 0:
                break
            for stream in streams:
                os.close(stream)
    become_command(json.loads(text), streams)
    deploy.cli.main.main()


def receive(requests: socket.socket) -> tuple[bytes, list[int]]:
    """Return the next request and its streams; empty after the end of the tests."""
    space = socket.CMSG_SPACE(STREAMS * array.array("i").itemsize)
    text, passed, _, _ = requests.recvmsg(MAX_REQUEST_BYTES, space)
    streams = array.array("i")
    for _, _, packed in passed:
        streams.frombytes(packed)
    return text, list(streams)


def become_command(request: dict[str, Any], streams: list[int]) -> None:
    """Return in the process of the command, but never in this parent process."""
    *standard, told = streams
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if pid := os.fork():
        os.write(told, b"%d\n" % pid)
        for stream in standard:
            os.close(stream)
        for interruption in (signal.SIGINT, signal.SIGTERM):
            signal.signal(interruption, signal.SIG_IGN)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.write(told, b"%d\n" % code)
        os._exit(0)
    for number, stream in enumerate(standard):
        os.dup2(stream, number)
    for stream in streams:
        os.close(stream)
    # The stream objects of this process have cached whether its own streams are seekable.
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(request["env"])
    if not REAL_CLOCK.items() <= os.environ.items():
        fix_day()
    os.chdir(request["cwd"])
    sys.argv = [program(), *request["arguments"]]
    if files := request["files"]:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))


def program() -> str:
    """Return the program name of a command that Python runs as a module."""
    return str(ROOT / "deploy" / "cli" / "main.py")


if __name__ == "__main__":
    main()
