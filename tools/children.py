"""Child processes: started in their own group, watched until they answer, stopped together.

The demonstration (`make run`) and the tests that need real processes both stand on this. A child's output goes to
a file when one is given, otherwise to the terminal.
"""

import contextlib
import ctypes
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

LOOPBACK = "127.0.0.1"
_PR_SET_PDEATHSIG = 1
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ChildFailed(Exception):
    """A child ended by itself, or did not answer in time; the message names it and ends with what it last said."""


def is_free(port: int) -> bool:
    """Say whether a server could listen on a loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Return a loopback port that nothing listens on, outside the range the kernel hands out to clients."""
    while True:
        port = 10_000 + int.from_bytes(os.urandom(2)) % 22_000
        if is_free(port):
            return port


def status_of(url: str, *, timeout_seconds: float = 1) -> int:
    """Return the HTTP status an address answers with; 0 when nothing answers."""
    try:
        with _DIRECT.open(url, timeout=timeout_seconds) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except (OSError, http.client.HTTPException):
        return 0


def answers(url: str) -> bool:
    """Say whether an address answers, and not with an error of its own."""
    return 0 < status_of(url) < 500


def _end_with_parent() -> None:
    """Ask Linux to end this process when its parent is gone, however that happened."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Child:
    """One process with a name, a command, an environment, and an address it answers on when it is ready."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        ready_url: str = "",
        log: Path | None = None,
    ) -> None:
        """Keep what is needed to start, and to start again."""
        self.name = name
        self.command = list(command)
        self.cwd = cwd
        self.environment = dict(environment)
        self.ready_url = ready_url
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Return the process id; the child must have been started."""
        if self.process is None:
            raise ChildFailed(f"{self.name} was never started")
        return self.process.pid

    @property
    def running(self) -> bool:
        """Say whether the process lives."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start the process in a group of its own, so that Ctrl-C reaches it only through us."""
        with contextlib.ExitStack() as stack:
            output = stack.enter_context(self.log.open("ab")) if self.log else None
            self.process = subprocess.Popen(
                self.command,
                cwd=self.cwd,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - no thread of ours holds a lock at this point
            )

    def wait_until_ready(self, *, seconds: float = 30) -> None:
        """Wait until the address answers.

        Raises:
            ChildFailed: when the process ended, or the time is over.
        """
        deadline = time.monotonic() + seconds
        while self.ready_url and not answers(self.ready_url):
            if not self.running:
                raise ChildFailed(self.how_it_ended())
            if time.monotonic() > deadline:
                raise ChildFailed(
                    f"{self.name} did not answer on {self.ready_url} in {seconds:g} s{self._tail()}"
                )
            time.sleep(0.05)

    def how_it_ended(self) -> str:
        """Say by name how the process ended, with the last lines of its log."""
        code = self.process.returncode if self.process else None
        return f"{self.name} stopped by itself (exit code {code}){self._tail()}"

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def stop(self, *, seconds: float = 10) -> int:
        """Ask the group to end, insist when it does not in time, and return the exit code."""
        if self.process is None:
            return 0
        self.signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        self.signal(signal.SIGKILL)
        return self.process.wait()

    def kill(self) -> None:
        """End the group at once, as a crash would."""
        self.signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    def log_text(self) -> str:
        """Return everything the child has written to its log."""
        return self.log.read_text(errors="replace") if self.log and self.log.exists() else ""

    def _tail(self, lines: int = 25) -> str:
        last = self.log_text().splitlines()[-lines:]
        return "".join(f"\n    {line}" for line in last)


def stop_all(children: Sequence[Child], *, seconds: float = 10) -> None:
    """Stop children, the last started first, all at the same time."""
    for child in reversed(children):
        if child.running:
            child.signal(signal.SIGTERM)
    deadline = time.monotonic() + seconds
    for child in reversed(children):
        child.stop(seconds=max(0.1, deadline - time.monotonic()))
