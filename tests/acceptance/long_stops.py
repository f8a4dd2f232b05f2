"""Our outage is never theirs, for minutes: every part of a real stack frozen or kept dead, and what was said meanwhile.

`python -m tests.acceptance.long_stops [--seconds 150] [--side 4] [CASE …]` prints a table. Each case has a stack and a
fleet of its own; `--side` of them run side by side.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from alerting.pipeline.blind_incidents import UNSTABLE
from broker.config import BridgeConfig
from tests.acceptance.lossy import LossyPath
from tests.acceptance.stack import Stack, wait_until
from tests.acceptance.terminals import Terminal, power_off, publish, start_fleet
from tests.conftest import create_topics
from tests.servers import ApacheKafka, Mosquitto, why_no_apache_kafka

EVERY, FLEET, FLOOR = 5.0, 24, 20.0
PATIENCE = 180.0
HELD = BridgeConfig(mqtt_url="", kafka_servers="").delivery_timeout
"""Seconds for which a bridge holds what Kafka does not take."""


@dataclass
class World:
    """What a case acts upon. `undo` ends what it did."""

    stack: Stack
    seconds: float
    kafka: ApacheKafka | None = None
    path: LossyPath | None = None
    fleet: list[Terminal] = field(default_factory=list)
    south: Mosquitto | None = None
    bridge: "subprocess.Popen[bytes] | None" = None
    undo: ExitStack = field(default_factory=ExitStack)

    def freeze(self, name: str) -> None:
        where = self.kafka if name == "kafka" and self.kafka else None
        (where.freeze if where else lambda: self.stack.freeze(name))()
        self.undo.callback(where.thaw if where else lambda: self.stack.thaw(name))

    def keep_dead(self, name: str) -> None:
        """kill -9, and again as often as the supervisor starts it."""
        if name == "kafka" and self.kafka is not None:
            self.kafka.kill()
            self.undo.callback(self.kafka.start)
            return
        stopped = threading.Event()
        killer = threading.Thread(target=self._kill_until, args=(name, stopped), daemon=True)
        killer.start()
        self.undo.callback(killer.join)
        self.undo.callback(stopped.set)

    def _kill_until(self, name: str, stopped: threading.Event) -> None:
        while not stopped.wait(0.2):
            for process in self.stack.processes(name):
                with suppress(psutil.Error):
                    process.kill()

    def drop_heartbeats(self, share: float) -> None:
        assert self.path is not None
        self.path.share = share
        self.undo.callback(setattr, self.path, "share", 0.0)

    def second_shard(self) -> None:
        """Half of the fleet moves to another MQTT broker with its own bridge."""
        self.south = Mosquitto(self.stack.data.parent / "south")
        self.south.start()
        self.undo.callback(self.south.kill)
        bridge = self.second_bridge(MILEPOST_MQTT_URL=self.south.url, MILEPOST_SHARD="south")
        self.undo.callback(bridge.kill)
        self.bridge = bridge
        time.sleep(5)
        self.move(self.fleet[FLEET // 2 :], self.south.port)

    def lose_second_shard(self) -> None:
        """It dies for good, and its terminals find the other."""
        assert self.south is not None and self.bridge is not None
        self.bridge.kill()
        self.south.kill()
        self.move(self.fleet[FLEET // 2 :], self.stack.mqtt_port)

    @staticmethod
    def move(terminals: list[Terminal], port: int) -> None:
        for terminal in terminals:
            terminal.move_to(port)

    def second_bridge(self, **changes: str) -> "subprocess.Popen[bytes]":
        """Another bridge, of the same shard unless `changes` say otherwise; it outlives the stop."""
        ports = json.loads((self.stack.data / "ports.json").read_text())
        environ = {
            "MILEPOST_KAFKA_SERVERS": f"127.0.0.1:{ports['kafka']}",
            "MILEPOST_KAFKA_IDEMPOTENT": "false",
            "MILEPOST_MQTT_URL": f"mqtt://127.0.0.1:{self.stack.mqtt_port}",
            "MILEPOST_BRIDGE": "bridge-2",
            **changes,
        }
        log = (self.stack.data / "logs" / "bridge-2.log").open("ab")
        return subprocess.Popen(
            [sys.executable, "-m", "milepost", "bridge"], env={**os.environ, **environ}, stdout=log, stderr=log
        )

    def storm(self) -> None:
        """Thousands of retained statuses, which a bridge gets all at once when it subscribes: old wills and lies."""
        for number in range(FLEET):
            for state, n in (("lost", 1), ("online", 2)):
                said = {"v": 1, "boot": "old", "run": 0, "conn": 0, "n": n, "state": state, "at": 0}
                topic = f"milepost/v1/63212200{number:02d}/00{2 + (state == 'lost')}/status"
                publish(self.stack.mqtt_port, topic, json.dumps(said).encode(), retain=True)
        storm = subprocess.run([sys.executable, "-c", _STORM, str(self.stack.mqtt_port)], check=True, timeout=120)
        assert storm.returncode == 0


_STORM = """
import json, sys
import paho.mqtt.client as mqtt
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
client.max_inflight_messages_set(1000)
client.connect("127.0.0.1", int(sys.argv[1]))
client.loop_start()
said = json.dumps({"v": 1, "boot": "b", "run": 9, "conn": 1, "n": 9, "state": "lost", "at": 0})
sent = [client.publish(f"milepost/v1/s{n}/001/status", said, qos=1, retain=True) for n in range(5000)]
for message in sent:
    message.wait_for_publish(60)
client.disconnect()
"""


@dataclass(frozen=True)
class Case:
    """`blind`: how many pipeline_blind incidents it must leave; `floor`: whether time of ours was lost; `stays`: the
    shard of which one stays open."""

    name: str
    act: Callable[[World], None]
    blind: tuple[int, int]
    floor: bool = False
    external: str | None = None
    prepare: Callable[[World], object] | None = None
    stays: str | None = None


def frozen(name: str, blind: tuple[int, int], **more: Any) -> Case:
    return Case(f"{name} SIGSTOP", lambda world: world.freeze(name), blind, **more)


def dead(name: str, blind: tuple[int, int], **more: Any) -> Case:
    return Case(f"{name} kill -9", lambda world: world.keep_dead(name), blind, **more)


def _two_bridges(world: World) -> None:
    world.undo.callback(world.second_bridge().terminate)
    time.sleep(5)


ONE, NONE = (1, 1), (0, 0)
CASES = [
    frozen("mqtt", ONE, floor=True),
    dead("mqtt", ONE, floor=True),
    frozen("bridge", ONE, floor=True),
    dead("bridge", ONE, floor=True),
    # The bridge keeps everything meanwhile, so that no time is lost.
    frozen("kafka", ONE, external="kafka"),
    dead("kafka", ONE, external="kafka"),
    Case("kafka in memory kill -9", lambda world: world.keep_dead("kafka"), ONE, floor=True),
    frozen("judge", ONE),
    dead("judge", ONE),
    frozen("incidents", NONE),
    dead("incidents", NONE),
    frozen("postgres", ONE),
    dead("postgres", ONE),
    Case("bridge drops 40% of heartbeats", lambda w: w.drop_heartbeats(0.4), (1, 2), floor=True, external="lossy"),
    Case("one of two bridges SIGSTOP", lambda w: w.freeze("bridge"), NONE, prepare=_two_bridges),
    Case("one of two bridges kill -9", lambda w: w.keep_dead("bridge"), NONE, prepare=_two_bridges),
    Case("one shard of two dies for good", World.lose_second_shard, ONE, prepare=World.second_shard, stays="south"),
    Case("bridge kill -9, retained storm", lambda w: w.keep_dead("bridge"), ONE, floor=True, prepare=World.storm),
]


def play(case: Case, seconds: float) -> dict[str, Any]:
    """One case from start to end; what was seen."""
    with _world(case, seconds) as world:
        return _played(case, world)


@contextmanager
def _world(case: Case, seconds: float) -> Iterator[World]:
    directory = Path(tempfile.mkdtemp(prefix="long-stop-"))
    directory.chmod(0o755)
    environ: dict[str, str] = {"MILEPOST_LANGUAGE": "en"}
    kafka = path = None
    with ExitStack() as after:
        if case.external == "kafka":
            if missing := why_no_apache_kafka():
                raise SystemExit(missing)
            kafka = after.enter_context(ApacheKafka(directory / "kafka", ready_seconds=240).running())
            create_topics(kafka.servers, 24)
            environ["MILEPOST_KAFKA_SERVERS"] = kafka.servers
        if case.external == "lossy":
            broker = after.enter_context(Mosquitto(directory / "mqtt").running())
            path = LossyPath(broker.port).start()
            environ["MILEPOST_MQTT_URL"] = f"mqtt://127.0.0.1:{path.port}"
            environ["MILEPOST_LOSS_SETTLED"] = "1"  # this fleet is younger than ten minutes
        stack = Stack(directory / "data", **environ)
        after.callback(stack.end)
        stack.start()
        if path is not None:
            stack.mqtt_port = broker.port
        yield World(stack, seconds, kafka, path)


def _played(case: Case, world: World) -> dict[str, Any]:
    stack = world.stack
    fleet = world.fleet = start_fleet(stack.mqtt_port, FLEET, every=EVERY)
    try:
        wait_until(lambda: list(stack.verdicts().values()).count("online") >= FLEET, 60, "the fleet is not online")
        if case.prepare is not None:
            case.prepare(world)
        time.sleep(25)
        return _stopped(case, world, fleet)
    finally:
        power_off(fleet)
        world.undo.close()


def _stopped(case: Case, world: World, fleet: list[Terminal]) -> dict[str, Any]:
    stack = world.stack
    with ExitStack() as undo:
        world.undo, kept = undo, world.undo
        case.act(world)
        time.sleep(world.seconds / 2)
        died = {terminal.station: terminal.power_off() for terminal in fleet[3:5]}
        time.sleep(world.seconds / 2)
        during = _during(stack)
    world.undo = kept
    ended = time.time()
    wait_until(lambda: set(died) <= _fallen(stack), PATIENCE, lambda: f"not found: {set(died) - _fallen(stack)}")
    wait_until(lambda: _settled(stack, case.stays), PATIENCE, "the pipeline does not settle")
    time.sleep(FLOOR)
    return _report(case, stack, died, ended, during)


def _during(stack: Stack) -> str:
    """What people are told at the end of the stop; nothing is an answer too."""
    try:
        verdicts = list(stack.verdicts().values())
    except Exception as exc:  # whatever way it does not answer in
        return type(exc).__name__
    return ", ".join(f"{verdicts.count(word)} {word}" for word in sorted(set(verdicts)))


def _incidents(stack: Stack, kind: str) -> list[dict[str, Any]]:
    with suppress(Exception):
        return stack.items("incidents", kind=kind)
    return []


def _fallen(stack: Stack) -> set[str]:
    return {incident["station"] for incident in _incidents(stack, "station_offline")}


def _settled(stack: Stack, stays: str | None) -> bool:
    """One incident of gaps that recur goes on for ten quiet minutes: by the rules, and longer than we look."""
    going_on = [i for i in _incidents(stack, "pipeline_blind") if i["status"] != "closed"]
    still = {i["shard"] for i in going_on if i["detail"].get("reason") != UNSTABLE}
    return stack.is_ready() and still == ({stays} if stays else set()) and "unknown" not in stack.verdicts().values()


def _report(case: Case, stack: Stack, died: dict[str, float], ended: float, during: str) -> dict[str, Any]:
    offline = _incidents(stack, "station_offline")
    blind = _incidents(stack, "pipeline_blind")
    found = [_at(i["opened_at"]) - ended for i in offline if i["station"] in died]
    # Where heartbeats were dropped, the last one heard is older than the last one sent.
    spared = EVERY * 6 if case.external == "lossy" else 0.0
    too_early = [i for i in offline if i["station"] in died and _at(i["began_at"]) < died[i["station"]] - spared]
    false = sorted({i["station"] for i in offline} - set(died))
    watch = [alert["title"] for alert in stack.alerts() if alert["kind"] == "platform"]
    floor_kept = not case.floor or min(found) >= _goes_on(stack, ended) - ended + FLOOR - 1
    good = not false and not too_early and case.blind[0] <= len(blind) <= case.blind[1] and floor_kept
    return {
        "case": case.name,
        "false": len(false),
        "found": f"{len(found)}/{len(died)} {_when(found)}",
        "blind": f"{len(blind)} ({', '.join(_words(blind))})" if blind else "0",
        "during": during,
        "watch": "; ".join(dict.fromkeys(title.partition("] ")[2] for title in watch)) or "–",
        "good": good,
        "incidents": [[i["began_at"], i["opened_at"], i["closed_at"], i["detail"]] for i in blind],
    }


def _goes_on(stack: Stack, ended: float) -> float:
    """When time counts again: what a bridge held while its log was away counts from before the stop was over."""
    shards = stack.get("pipeline")["shards"]
    last = max(_at(gap["to"]) for shard in shards for clock in shard["partitions"] for gap in clock["gaps"])
    assert last > ended - HELD, "a bridge does not hold so much"
    return min(ended, last)


def _when(found: list[float]) -> str:
    return "meanwhile" if max(found) < 0 else f"{min(found):.0f}–{max(found):.0f} s after it"


def _words(blind: list[dict[str, Any]]) -> list[str]:
    return sorted({word for one in blind for key in ("causes", "reasons") for word in one["detail"].get(key, ())})


def _at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


# -- all of them ------------------------------------------------------------------------------------------------


def run_side_by_side(names: list[str], seconds: float, side: int) -> list[dict[str, Any]]:
    """Each case in a process of its own."""
    waiting, running, done = list(names), {}, []
    while waiting or running:
        while waiting and len(running) < side:
            name = waiting.pop(0)
            command = [sys.executable, "-m", "tests.acceptance.long_stops", "--one", "--seconds", str(seconds), name]
            running[name] = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for name, process in list(running.items()):
            if process.poll() is not None:
                out, err = process.communicate()
                row = json.loads(out.splitlines()[-1]) if process.returncode == 0 else _failed(name, err)
                done.append(row)
                print(_line(row), flush=True)
                del running[name]
        time.sleep(0.5)
    return done


def _failed(name: str, said: str) -> dict[str, Any]:
    last = said.strip().splitlines()[-1][:160] if said.strip() else "?"
    return {"case": name, "false": "?", "found": last, "blind": "?", "during": "?", "watch": "?", "good": False}


def _line(row: dict[str, Any]) -> str:
    cells = [row[key] for key in ("case", "false", "found", "blind", "during", "watch")]
    return "| " + " | ".join(str(cell) for cell in (*cells, "as it must be" if row["good"] else "**NOT**")) + " |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=150.0, help="how long each stop lasts (default 150)")
    parser.add_argument("--side", type=int, default=4, help="stacks that run side by side (default 4)")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    cases = ", ".join(case.name for case in CASES).replace("%", "%%")
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of: {cases}")
    asked = parser.parse_args()
    names = asked.cases or [case.name for case in CASES]
    if asked.one:
        (case,) = (case for case in CASES if case.name == names[0])
        print(json.dumps(play(case, asked.seconds)))
        return 0
    print("| stop | false offline | real deaths found | pipeline_blind | verdicts meanwhile | watch said | |")
    print("|---|---|---|---|---|---|---|")
    rows = run_side_by_side(names, asked.seconds, asked.side)
    return 0 if all(row["good"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
