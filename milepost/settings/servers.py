"""Settings: addresses, servers, topics and the bridge."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from milepost.settings.values import DatabaseUrl, MqttUrl, Name, Networks, Port, Servers, WebUrl


@dataclass(frozen=True, kw_only=True)
class ServerSection:
    """Addresses, servers, topics and the bridge."""

    data: Annotated[
        Path,
        Meta(
            description="Directory of the files of `milepost up` and of the agent; other commands find a "
            "running `milepost up` in it."
        ),
    ] = Path(".milepost")
    http_host: Annotated[str, Meta(description="Address on which the API and the console listen.")] = "127.0.0.1"
    http_port: Annotated[Port, Meta(description="Port of the API and the console.")] = 8000
    mqtt_port: Annotated[Port, Meta(description="Port of the MQTT broker that `milepost up` starts.")] = 1883
    mqtt_bind: Annotated[
        str,
        Meta(
            description="Address on which the MQTT broker of `milepost up` listens in addition to loopback; "
            "0.0.0.0 means every address. Terminals on other machines need accounts (see "
            "operations.md)."
        ),
    ] = "127.0.0.1"
    mqtt_connections: Annotated[
        Annotated[int, Meta(ge=20, le=1_000_000)],
        Meta(
            description="Connections that the MQTT broker of `milepost up` accepts at a time. Further ones are "
            "refused, also those of its own services, of which each has one or two."
        ),
    ] = 10_000
    public_url: Annotated[
        WebUrl | None,
        Meta(
            description="Address of the console for people; links in notifications begin with it. Unset: "
            "the address on which the API listens."
        ),
    ] = None
    trusted_proxies: Annotated[
        Networks | None,
        Meta(
            description="Reverse proxies in front of the API: it takes the address of a client from their "
            "`X-Forwarded-For`, and from no other client's. Unset: none, so all clients of a proxy share its address."
        ),
    ] = None
    database_url: Annotated[
        DatabaseUrl | None, Meta(description="PostgreSQL database. Unset: `milepost up` starts its own.")
    ] = None
    kafka_servers: Annotated[
        Servers | None, Meta(description="Kafka servers. Unset: `milepost up` starts its own.")
    ] = None
    kafka_replication: Annotated[
        Annotated[int, Meta(ge=1, le=9)], Meta(description="Number of replicas of each topic; 3 in production.")
    ] = 1
    kafka_idempotent: Annotated[
        bool, Meta(description="Whether Kafka producers are idempotent; the embedded Kafka does not support this.")
    ] = True
    kafka_memory: Annotated[
        Annotated[int, Meta(ge=32, le=1_000_000)],
        Meta(
            description="Memory limit in MiB of the embedded Kafka of `milepost up`, which never deletes "
            "messages; at the limit, `milepost up` restarts it with an empty log."
        ),
    ] = 1024
    kafka_linger: Annotated[
        Annotated[float, Meta(ge=0.001, le=0.5)] | None,
        Meta(
            description="Seconds for which a bridge collects messages before it sends them to Kafka as one "
            "batch. Unset: 0.02, or 0.3 with the embedded Kafka of `milepost up`."
        ),
    ] = None
    partitions: Annotated[
        Annotated[int, Meta(ge=1, le=1024)] | None,
        Meta(
            description="Number of partitions of each topic; fixed after the first station has been judged. "
            "Unset: 24; with the embedded Kafka of `milepost up` 1, or the number with which "
            "its data directory was created."
        ),
    ] = None
    mqtt_url: Annotated[MqttUrl | None, Meta(description="MQTT broker. Unset: `milepost up` starts its own.")] = None
    mqtt_ca_file: Annotated[
        Path | None,
        Meta(description="CA certificate that verifies an `mqtts://` broker. Unset: the certificates of the system."),
    ] = None
    mqtt_password_file: Annotated[Path | None, Meta(description="File with the password for the MQTT broker.")] = None
    mqtt_anonymous: Annotated[
        bool | None,
        Meta(
            description="Whether the MQTT broker of `milepost up` accepts clients without a password. "
            "Unset: only when it listens on loopback alone."
        ),
    ] = None
    metrics_port: Annotated[
        Port | None, Meta(description="Port on loopback where the bridge serves Prometheus metrics. Unset: no metrics.")
    ] = None
    shard: Annotated[Name, Meta(description="Name of the MQTT broker (shard) that this bridge serves.")] = "main"
    bridge: Annotated[Name, Meta(description="Name of this bridge; unique among all bridges.")] = "bridge-1"
