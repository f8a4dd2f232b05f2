"""The data directory of `milepost up`: its lock, secrets and ports."""

import errno
import fcntl
import json
import os
import secrets
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from contract.errors import RemedyError
from contract.said import Said


@contextmanager
def hold(path: Path) -> Iterator[Path]:
    """Create the directory if necessary (but not its parent) and lock it for this process; its absolute path.

    Meanwhile, files that this process and its children create can be read by their own users only.

    Raises RemedyError when it cannot be created or written, or when another process has locked it.
    """
    with _private_files(), _held(path.absolute()) as directory:
        yield directory


@contextmanager
def _private_files() -> Iterator[None]:
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def _held(directory: Path) -> Iterator[Path]:
    _create(directory)
    try:
        lock = (directory / "lock").open("a+", encoding="ascii")
    except OSError as exc:
        raise RemedyError(
            f"the data directory {directory} cannot be written ({exc.strerror}): "
            f"change its permissions, or give another with --data",
            f"数据目录 {directory} 无法写入（{exc.strerror}）：请修改其权限，或用 --data 指定其他目录",
        ) from exc
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            lock.seek(0)
            holder = lock.read().strip() or "?"
            raise RemedyError(
                f"process {holder} already runs Milepost in {directory}: "
                "stop it, or give another directory with --data",
                f"进程 {holder} 已在 {directory} 中运行 Milepost：请停止它，或用 --data 指定其他目录",
            ) from exc
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        _close_to_others(directory)
        yield directory


def _create(directory: Path) -> None:
    try:
        directory.mkdir()
    except FileExistsError:
        if not directory.is_dir():
            raise RemedyError(
                f"{directory} is not a directory: give another with --data",
                f"{directory} 不是目录：请用 --data 指定其他目录",
            ) from None
    except OSError as exc:
        cause = _why_not(directory, exc)
        raise RemedyError(
            f"the data directory {directory} cannot be created: {cause.en}", f"无法创建数据目录 {directory}：{cause.zh}"
        ) from exc
    else:
        # Under root PostgreSQL runs as another user, which must be able to enter the directory but not to list it.
        directory.chmod(0o711 if os.geteuid() == 0 else 0o700)


def _close_to_others(directory: Path) -> None:
    """Take the rights of other users from files of an older version; the directories have modes of their own."""
    for path in directory.iterdir():
        with suppress(FileNotFoundError):  # another command, for example `milepost account`, may replace a file
            info = path.lstat()
            if stat.S_ISREG(info.st_mode) and info.st_uid == os.geteuid() and info.st_mode & 0o077:
                path.chmod(0o600)


def _why_not(directory: Path, exc: OSError) -> Said:
    parent = directory.parent
    if exc.errno == errno.ENOENT and not parent.exists():
        return Said(
            f"its parent {parent} does not exist: create that first, or give another with --data",
            f"上级目录 {parent} 不存在：请先创建它，或用 --data 指定其他目录",
        )
    return Said(
        f"{exc.strerror}: change the permissions of {parent}, or give another with --data",
        f"{exc.strerror}：请修改 {parent} 的权限，或用 --data 指定其他目录",
    )


def is_held(path: Path) -> bool:
    """Whether a Milepost runs in this data directory. Raises PermissionError when it belongs to another user."""
    try:
        with (path / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except PermissionError:
        raise
    except OSError:
        return False
    return False


def subdirectory(directory: Path, name: str, *, mode: int = 0o700) -> Path:
    """A subdirectory of the data directory, created if necessary."""
    path = directory / name
    path.mkdir(exist_ok=True)
    path.chmod(mode)
    return path


def keep_secret(path: Path) -> str:
    """The secret in `path`, created at the first call; only the owner can read the file."""
    if not path.exists() or not path.read_text(encoding="ascii").strip():
        return renew_secret(path)
    path.chmod(0o600)
    return path.read_text(encoding="ascii").strip()


def renew_secret(path: Path) -> str:
    """Write a new secret into `path`, and return it."""
    secret = secrets.token_urlsafe(32)
    write_whole(path, secret + "\n")
    return secret


def write_whole(path: Path, text: str) -> None:
    """Write a text into a file that only its owner can read, completely or not at all."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on the port now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as exc:
            if exc.errno == errno.EADDRINUSE:
                return False
            raise RemedyError(
                f"nothing can listen on {host} port {port}: {exc.strerror}",
                f"无法监听 {host} 的端口 {port}：{exc.strerror}",
            ) from exc
    return True


def require_free(port: int, option: str, host: str = "127.0.0.1") -> None:
    """Raise RemedyError when something else listens on the port."""
    if not is_free(port, host):
        raise RemedyError(
            f"port {port} is in use: stop what listens there, or give another with {option}",
            f"端口 {port} 已被占用：请停止占用它的程序，或用 {option} 指定其他端口",
        )


def keep_ports(path: Path, names: tuple[str, ...]) -> dict[str, int]:
    """{name: port on loopback}: those of the last start, from the file `path`, if still free, else new ones."""
    try:
        kept = json.loads(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        kept = {}
    ports: dict[str, int] = {}
    for name in names:
        port = kept.get(name) if isinstance(kept, dict) else None
        ports[name] = port if isinstance(port, int) and is_free(port) else pick_port(set(ports.values()))
    path.write_text(json.dumps(ports), encoding="ascii")
    return ports


def kept_port(path: Path, name: str) -> int:
    """A port of the running stack, from the file of `keep_ports`. Raises RemedyError."""
    try:
        return int(json.loads(path.read_text(encoding="ascii"))[name])
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise RemedyError(
            f"{path} does not say where {name} listens: wait until `milepost up` is ready",
            f"{path} 中没有 {name} 的端口：请等待 `milepost up` 就绪",
        ) from exc


def pick_port(taken: set[int]) -> int:
    """A port on loopback that is free now and not among `taken`."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in taken:
            return port
