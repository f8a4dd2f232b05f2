"""`milepost up` as a person runs it, asked only through its HTTP interface, and its processes to freeze and kill."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil

from tests.servers import find_free_port

_T = TypeVar("_T")
SERVICES = ("bridge", "ingest", "judge", "health", "incidents", "deliver", "audit", "watch", "api")
SERVERS = {"kafka": "tansu", "postgres": "postgres", "mqtt": "mosquitto"}


class Stack:
    """One `milepost up` over a data directory; it may be stopped and started again."""

    def __init__(self, data: Path, **environ: str) -> None:
        self.data = data
        self.http_port, self.mqtt_port = find_free_port(), find_free_port()
        self.alert_log = data.parent / f"{data.name}-alerts.jsonl"
        self.output = data.parent / f"{data.name}-output.txt"
        # One client, as each reads the certificates of the system; a connection of its own for each question, as the
        # API may have been killed since the last one.
        self._client = httpx.Client(limits=httpx.Limits(max_keepalive_connections=0))
        self._environ = {"MILEPOST_ALERT_LOG": str(self.alert_log), **environ}
        self.process: subprocess.Popen[bytes] | None = None

    # -- life --------------------------------------------------------------------------------------------------

    def start(self, *, seconds: float = 90) -> "Stack":
        command = [
            sys.executable, "-m", "milepost", "up", "--data", str(self.data),
            "--http-port", str(self.http_port), "--mqtt-port", str(self.mqtt_port),
        ]  # fmt: skip
        with self.output.open("ab") as output:
            before = output.tell()
            self.process = subprocess.Popen(
                command, env={**os.environ, **self._environ}, stdout=output, stderr=output, start_new_session=True
            )
        try:
            # Not only the API must be ready, but `up` itself, which restarts a part that ends from then on.
            wait_until(
                lambda: self.is_ready() and b"\nready\n" in self.output.read_bytes()[before:],
                seconds,
                lambda: f"up is not ready: {self.output.read_text()[-2000:]}",
            )
        except BaseException:
            # No fixture ends a stack that did not start, and nine processes would slow all other tests down.
            self.end()
            raise
        return self

    def stop(self, number: int = signal.SIGINT, *, seconds: float = 20) -> int:
        """Ctrl-C; returns the exit code. Raises TimeoutExpired when it does not end in time."""
        assert self.process is not None
        self.process.send_signal(number)
        try:
            return self.process.wait(seconds)
        finally:
            self.process = None

    def end(self) -> None:
        """Whatever state it is in."""
        if self.process is None:
            return
        descendants = self._descendants()
        for process in descendants:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)
        up = self.process
        try:
            self.stop()
        except subprocess.TimeoutExpired:
            up.kill()
            for process in descendants:
                with suppress(psutil.NoSuchProcess):
                    process.kill()

    def is_ready(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"up ended with {self.process.returncode}: {self.output.read_text()[-2000:]}")
        try:
            return self._client.get(f"{self.url}/readyz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    # -- its processes -----------------------------------------------------------------------------------------

    def processes(self, name: str) -> list[psutil.Process]:
        """The running processes of a service or server; of PostgreSQL and its backends all."""
        return [process for process in self._descendants() if _is(process, name)]

    def freeze(self, name: str) -> None:
        self._signal(name, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        self._signal(name, signal.SIGCONT)

    def kill(self, name: str) -> None:
        self._signal(name, signal.SIGKILL)

    def _signal(self, name: str, number: int) -> None:
        found = self.processes(name)
        assert found, f"no process of {name} runs"
        for process in found:
            with suppress(psutil.NoSuchProcess):  # a backend of PostgreSQL may have ended meanwhile
                process.send_signal(number)

    def _descendants(self) -> list[psutil.Process]:
        assert self.process is not None
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    # -- its interface -----------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    def get(self, path: str, **params: Any) -> Any:
        """Ask as a client would: while the database is away the answer is 503, and one asks again."""
        headers = {"Authorization": f"Bearer {(self.data / 'admin.token').read_text().strip()}"}
        deadline = time.monotonic() + 30
        while True:
            answer = self._client.get(f"{self.url}/api/v1/{path}", params=params, headers=headers, timeout=60)
            if answer.status_code != 503 or time.monotonic() > deadline:
                answer.raise_for_status()
                return answer.json()
            time.sleep(0.2)

    def items(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """All pages of a list."""
        found: list[dict[str, Any]] = []
        cursor = None
        while True:
            page = self.get(path, limit=1000, **params, **({"cursor": cursor} if cursor else {}))
            found += page["items"]
            cursor = page["next"]
            if cursor is None:
                return found

    def verdicts(self) -> dict[str, str]:
        return {station["id"]: station["verdict"] for station in self.items("stations")}

    def alerts(self) -> list[dict[str, Any]]:
        if not self.alert_log.exists():
            return []
        return [json.loads(line) for line in self.alert_log.read_text().splitlines() if line]


def _is(process: psutil.Process, name: str) -> bool:
    try:
        command = process.cmdline()
    except psutil.Error:
        return False
    if name in SERVICES:
        return "milepost" in command and command[-1] == name
    if name == "mqtt":
        return "mosquitto" in command[0] or "iotcore" in " ".join(command) if command else False
    return bool(command) and SERVERS[name] in Path(command[0].split(":")[0]).name


def lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def read_each(processes: Iterable[psutil.Process], read: Callable[[psutil.Process], _T]) -> list[_T]:
    """What `read` returns for each process that still runs; AssertionError when none does.

    PostgreSQL starts and ends processes of its own at any moment.
    """
    found = []
    for process in processes:
        with suppress(psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError):
            found.append(read(process))
    assert found, "none of the processes runs"
    return found


def read_below(directory: Path, read: Callable[[Path], _T]) -> dict[Path, _T]:
    """What `read` returns for each file and folder below; those that a server deletes meanwhile are passed over."""
    found = {}
    for room, folders, files in os.walk(directory):
        for path in (Path(room) / name for name in (*folders, *files)):
            with suppress(FileNotFoundError):
                found[path] = read(path)
    return found


def wait_until(condition: Callable[[], _T], seconds: float, what: str | Callable[[], str] = "it did not happen") -> _T:
    """Ask until the answer is true, and return it; AssertionError when that takes too long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.1)
    raise AssertionError(what if isinstance(what, str) else what())
