"""broker/mosquitto.conf and broker/acl in a real Mosquitto: one station cannot speak for another."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from broker.mqtt.address import MqttAddress
from contract.errors import RemedyError
from tests.integration.bridge_kit import (
    Running,
    Terminal,
    heartbeat,
    of_station,
    read_log,
    records,
    running_bridge,
    unique,
    until,
)
from tests.servers import ROOT, Mosquitto, find_mosquitto

ACCOUNTS = {"6321220007": "one", "6321220008": "two", "milepost.bridge": "bridge", "milepost.api": "api"}


def production_lines(directory: Path, listener: str) -> tuple[str, ...]:
    """The file that is deployed, with this directory's files and with a listener without a certificate.

    The listener stays in its place, because `max_connections` belongs to the listener above. Without one above, the
    broker also listens on port 1883."""
    own = {
        "password_file": f"password_file {directory / 'passwords'}",
        "acl_file": f"acl_file {ROOT / 'broker/acl'}",
        "persistence_location": f"persistence_location {directory}/",
        "listener": listener,
        **dict.fromkeys(("certfile", "keyfile", "tls_version"), ""),
    }
    lines = (ROOT / "broker/mosquitto.conf").read_text().splitlines()
    return tuple(own.get(line.split(" ")[0], line) for line in lines)


class Production(Mosquitto):
    """Mosquitto as it is deployed: nothing but the listener is ours."""

    def command(self) -> list[str]:
        config = self.directory / "mosquitto.conf"
        lines = production_lines(self.directory, f"listener {self.port} {self.host}")
        config.write_text("\n".join(("user root", *lines)) + "\n")
        return [find_mosquitto() or "", "-c", str(config)]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    if find_mosquitto() is None:
        pytest.skip("Mosquitto is missing: install mosquitto")
    directory = tmp_path_factory.mktemp("production")
    for number, (user, password) in enumerate(ACCOUNTS.items()):
        create = ["-c"] if number == 0 else []
        command = ["mosquitto_passwd", *create, "-b", str(directory / "passwords"), user, password]
        subprocess.run(command, check=True, capture_output=True)
    with Production(directory).running() as server:
        yield server


def join(broker: Production, user: str, subscribe: str | None = None, **changes: str) -> Terminal:
    values = {"user": user, "password": ACCOUNTS[user], "client_id": unique()} | changes
    return Terminal(broker.url, subscribe=subscribe, **values)


def heard(broker: Production, speaker: str, topic: str, listener: str, pattern: str) -> bool:
    """Whether what `speaker` publishes on a topic reaches `listener`, told by a message that surely does."""
    hears, speaks = join(broker, listener, pattern), join(broker, speaker)
    # The last message of each goes a way that is open to both: the bridge's own, or the listener's ack.
    marker = join(broker, "milepost.bridge")
    speaks.publish(topic, b"x").wait_for_publish(10)
    marker.publish(f"milepost/v1/{listener}/001/ack", b"end").wait_for_publish(10)
    marker.publish("milepost-pulse/v1/test", b"end").wait_for_publish(10)
    result = hears.inbox.get(timeout=10)[1] == b"x"
    for terminal in (hears, speaks, marker):
        terminal.close()
    return result


ONE, TWO, BRIDGE, API = ACCOUNTS
ALL = "milepost/#"


def bridge_hears(broker: Production, speaker: str, topic: str) -> bool:
    return heard(broker, speaker, topic, BRIDGE, "#")


def station_hears(broker: Production, speaker: str, topic: str, station: str = ONE) -> bool:
    return heard(broker, speaker, topic, station, "#")


def test_it_listens_at_the_one_listener_only(broker: Production) -> None:
    assert broker.process is not None
    found = psutil.Process(broker.process.pid).net_connections("tcp")
    assert {one.laddr for one in found if one.status == psutil.CONN_LISTEN} == {(broker.host, broker.port)}


@pytest.mark.parametrize("channel", ["heartbeat", "status", "data", "reply"])
@pytest.mark.parametrize("terminal", ["001", "002"])
def test_a_station_speaks_for_itself_and_for_no_other(broker: Production, channel: str, terminal: str) -> None:
    assert bridge_hears(broker, ONE, f"milepost/v1/{ONE}/{terminal}/{channel}")
    assert not bridge_hears(broker, ONE, f"milepost/v1/{TWO}/{terminal}/{channel}")


@pytest.mark.parametrize("topic", [f"milepost/v1/{ONE}/001/{c}" for c in ("ack", "command", "config", "other")])
def test_a_station_writes_no_channel_but_those_that_go_up(broker: Production, topic: str) -> None:
    assert not bridge_hears(broker, ONE, topic)


def test_a_station_cannot_send_the_pulse(broker: Production) -> None:
    assert not bridge_hears(broker, ONE, "milepost-pulse/v1/bridge-1")


@pytest.mark.parametrize("channel", ["ack", "command", "config"])
def test_a_station_hears_what_is_sent_down_to_it_and_to_no_other(broker: Production, channel: str) -> None:
    sender = BRIDGE if channel == "ack" else API
    assert station_hears(broker, sender, f"milepost/v1/{ONE}/001/{channel}")
    assert not station_hears(broker, sender, f"milepost/v1/{TWO}/001/{channel}")


@pytest.mark.parametrize("channel", ["heartbeat", "status", "data", "reply"])
def test_a_station_hears_nothing_that_goes_up(broker: Production, channel: str) -> None:
    assert not station_hears(broker, TWO, f"milepost/v1/{TWO}/001/{channel}")


@pytest.mark.parametrize(
    ("user", "password"), [("6321220007", "wrong"), ("nobody", "one"), ("+", "one"), ("#", "one"), ("", "")]
)
def test_a_stranger_is_not_let_in(broker: Production, user: str, password: str) -> None:
    with pytest.raises(ConnectionRefusedError):
        Terminal(broker.url, client_id=unique(), user=user, password=password)


async def test_the_bridge_works_with_its_account(broker: Production, kafka_servers: str) -> None:
    terminal = join(broker, ONE, f"milepost/v1/{ONE}/001/ack")
    url = f"mqtt://{BRIDGE}@{broker.host}:{broker.port}"
    async with running_bridge(url, kafka_servers, mqtt_password=ACCOUNTS[BRIDGE]) as bridge:
        terminal.publish(f"milepost/v1/{ONE}/001/heartbeat", heartbeat(1))
        terminal.publish(f"milepost/v1/{ONE}/001/data", records(5))
        assert b"[[5,5]]" in (await terminal.receive())[1]
        await read_log(kafka_servers, of_station(ONE), lambda s: len(s) >= 2)
        await until(lambda: bridge.counters.ticks > 3)
    terminal.close()


async def test_the_bridges_wrong_password_is_named_at_once(broker: Production, kafka_servers: str) -> None:
    from broker.bridge import BridgeConfig

    url = f"mqtt://{BRIDGE}@{broker.host}:{broker.port}"
    running = Running(BridgeConfig(mqtt_url=url, mqtt_password="wrong", kafka_servers=kafka_servers, idempotent=False))
    with pytest.raises(RemedyError, match="MILEPOST_MQTT_PASSWORD_FILE"):
        await running.connected()


def test_what_is_too_large_for_the_broker_does_not_cost_the_connection(broker: Production) -> None:
    speaks, hears = join(broker, ONE), join(broker, BRIDGE, ALL)
    speaks.publish(f"milepost/v1/{ONE}/001/data", b" " * (1024 * 1024 + 1)).wait_for_publish(10)
    speaks.publish(f"milepost/v1/{ONE}/001/heartbeat", b"next").wait_for_publish(10)
    assert hears.inbox.get(timeout=10)[1] == b"next"
    speaks.close()
    hears.close()


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """A broker with a certificate for localhost, which is its own CA."""
    openssl = shutil.which("openssl")
    if find_mosquitto() is None or openssl is None:
        pytest.skip("Mosquitto or OpenSSL is missing: install mosquitto and openssl")
    directory = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", str(directory / "key.pem"), "-out", str(directory / "cert.pem")],
        check=True, capture_output=True,
    )  # fmt: skip
    lines = (f"certfile {directory / 'cert.pem'}", f"keyfile {directory / 'key.pem'}", "allow_anonymous true")
    with Mosquitto(directory, lines).running() as server:
        yield server


async def test_the_bridge_speaks_tls(encrypted: Mosquitto, kafka_servers: str) -> None:
    ca = str(encrypted.directory / "cert.pem")
    async with running_bridge(f"mqtts://localhost:{encrypted.port}", kafka_servers, mqtt_ca_file=ca) as bridge:
        await until(lambda: bridge.counters.ticks > 3)


@pytest.mark.parametrize(("ca", "says"), [(None, "is not trusted"), ("/nowhere/ca.pem", "cannot be read")])
async def test_a_certificate_that_is_not_trusted_names_the_setting(
    encrypted: Mosquitto, kafka_servers: str, ca: str | None, says: str
) -> None:
    url = f"mqtts://localhost:{encrypted.port}"
    with pytest.raises(RemedyError, match=f"{says}.*MILEPOST_MQTT_CA_FILE"):
        async with running_bridge(url, kafka_servers, mqtt_ca_file=ca):
            pass


@pytest.mark.parametrize("url", ["mqtt://me:secret@h", "http://me:secret@h", "mqtt://me:secret@h:port"])
def test_a_password_in_the_address_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(RemedyError, match="MILEPOST_MQTT") as told:
        MqttAddress.parse(url)
    assert "secret" not in str(told.value)
