"""Which servers `milepost up` brings itself, and where they listen."""

from pathlib import Path

import msgspec

from contract.errors import RemedyError
from milepost import datadir
from milepost.embedded import mqtt
from milepost.embedded.accounts import are_wanted, require_possible
from milepost.settings import PARTITIONS, Settings

# Tansu searches everything that it holds of a partition at each fetch: one partition and few batches keep that cheap.
EMBEDDED_PARTITIONS = 1


class Servers(msgspec.Struct, frozen=True, kw_only=True):
    """The ports on loopback of the embedded servers; None where a setting names a server to use instead."""

    postgres: int | None
    kafka: int | None
    mqtt: int | None
    #: Whether that MQTT broker requires accounts.
    accounts: bool = False


def choose_servers(settings: Settings, directory: Path) -> Servers:
    """Which servers to start for the data directory. Raises RemedyError for a port that is in use."""
    datadir.require_free(settings.http_port, "--http-port", settings.http_host)
    if settings.mqtt_url is None:
        _require_mqtt(settings)
    elif settings.mqtt_bind != mqtt.LOOPBACK:
        raise RemedyError(
            "--mqtt-bind is for the MQTT broker that `milepost up` brings, but MILEPOST_MQTT_URL names one of your "
            "own: unset one of them",
            "--mqtt-bind 用于 `milepost up` 自带的 MQTT 代理，而 MILEPOST_MQTT_URL 指定了您自己的代理："
            "请只保留其中一个",
        )
    ports = datadir.keep_ports(directory / "ports.json", ("postgres", "kafka"))
    return Servers(
        postgres=None if settings.database_url else ports["postgres"],
        kafka=None if settings.kafka_servers else ports["kafka"],
        mqtt=None if settings.mqtt_url else settings.mqtt_port,
        accounts=settings.mqtt_url is None and are_wanted(settings),
    )


def _require_mqtt(settings: Settings) -> None:
    """Raise RemedyError when the embedded MQTT broker cannot serve as the settings ask."""
    if settings.mqtt_port == settings.http_port:
        raise RemedyError(
            f"port {settings.mqtt_port} cannot serve HTTP and MQTT: give another with --mqtt-port",
            f"端口 {settings.mqtt_port} 不能同时用于 HTTP 和 MQTT：请用 --mqtt-port 指定其他端口",
        )
    if are_wanted(settings):
        require_possible(mqtt.available())
    for address in mqtt.addresses(settings.mqtt_bind):
        datadir.require_free(settings.mqtt_port, "--mqtt-port", address)


def choose_partitions(given: int | None, kept: int | None, *, embedded: bool) -> int:
    """The number of Kafka partitions: `kept` by the database, else `given` by a person, else the default.

    Raises RemedyError when the first two differ.
    """
    if given is not None and kept is not None and given != kept:
        raise RemedyError(
            f"MILEPOST_PARTITIONS is {given}, but this database was begun with {kept}: the number is fixed then, "
            f"so unset MILEPOST_PARTITIONS, or give another data directory with --data",
            f"MILEPOST_PARTITIONS 为 {given}，而此数据库以 {kept} 个分区开始，此后不能更改："
            "请取消 MILEPOST_PARTITIONS，或用 --data 指定其他数据目录",
        )
    return kept or given or (EMBEDDED_PARTITIONS if embedded else PARTITIONS)
