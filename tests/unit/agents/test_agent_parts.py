"""The agent's smaller parts: its settings, run counter, command policy and collectors."""

import logging
import re
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import psutil
import pytest

from agents import VERSION
from agents.collect import HEALTH, INVENTORY, Collector, Subject, collect
from agents.commands import CommandPolicy
from agents.config import AgentConfig, Broker, broker_of, check, parse_broker, prepare_directory
from agents.outbox.queue import SPARE_ROWS
from agents.pacing import RESEND_AFTER, RESEND_AT_MOST
from agents.run_counter import AgentState, begin_run, save, write_whole
from agents.sampler import Sample, Sampler
from contract.errors import RemedyError
from contract.messages import Command, Config, Health, Inventory

ROOT = Path(__file__).parents[3]


def config(**fields: Any) -> AgentConfig:
    return AgentConfig(**{"station": "6321220007", "broker": "mqtt://127.0.0.1", "data": Path("/nowhere")} | fields)


class TestConfig:
    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("mqtt://broker", Broker("broker", 1883, False, None, None)),
            ("mqtts://broker.example:8884/", Broker("broker.example", 8884, True, None, None)),
            ("mqtts://me@[::1]", Broker("::1", 8883, True, "me", None)),
            ("mqtt://me:p%40ss@broker:1", Broker("broker", 1, False, "me", "p@ss")),
        ],
    )
    def test_broker_url(self, url: str, expected: Broker) -> None:
        assert parse_broker(url) == expected

    @pytest.mark.parametrize(
        "url", ["broker", "http://broker", "mqtt://", "mqtt://broker:99999", "mqtt://me:secret@broker:x", "mqtt://[::1"]
    )
    def test_a_bad_broker_url_is_refused_without_showing_it(self, url: str) -> None:
        with pytest.raises(RemedyError, match="--broker") as error:
            parse_broker(url)
        assert "secret" not in str(error.value)

    def test_the_settings_override_the_url_and_a_password_alone_has_the_station_for_user(self) -> None:
        assert broker_of(config(broker="mqtt://me:a@broker", user="you", password="b"))[3:] == ("you", "b")
        assert broker_of(config(password="b"))[3:] == ("6321220007", "b")
        assert broker_of(config())[3:] == (None, None)

    @pytest.mark.parametrize(
        ("fields", "remedy"),
        [
            ({"station": "no spaces"}, "--station"),
            ({"terminal": "0-1"}, "--terminal"),
            ({"every": 0.5}, "--every"),
            ({"every": 3601}, "--every"),
            ({"sample": 0}, "--sample"),
            ({"ca": Path("/no/such/file")}, "--ca"),
            ({"ca": ROOT / "LICENSE"}, "--ca"),
            ({"broker": "ftp://x"}, "--broker"),
        ],
    )
    def test_what_cannot_work_names_the_remedy(self, fields: dict[str, Any], remedy: str) -> None:
        with pytest.raises(RemedyError, match=remedy) as error:
            check(config(**fields))
        assert "\n" not in str(error.value)

    def test_a_good_configuration_passes(self) -> None:
        check(config())

    def test_the_data_directory_is_made_and_its_parent_is_not(self, tmp_path: Path) -> None:
        prepare_directory(tmp_path / "data")
        prepare_directory(tmp_path / "data")
        assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700

    def test_a_directory_that_cannot_be_made_is_named_and_stops_nothing(self, tmp_path: Path) -> None:
        assert prepare_directory(tmp_path / "data") is None
        assert "No such file" in (prepare_directory(tmp_path / "missing" / "data") or "")

    def test_secrets_are_not_shown(self) -> None:
        assert "hush" not in repr(config(password="hush", broker="mqtt://me:hush@broker"))


class TestRunCounter:
    def test_it_rises_at_each_start(self, tmp_path: Path) -> None:
        assert [begin_run(tmp_path / "state").state.run for _ in range(3)] == [1, 2, 3]
        assert [file.name for file in tmp_path.iterdir()] == ["state"]

    @pytest.mark.parametrize(
        "content", [b"", b"{", b"\xff\xfe", b'{"run":"x"}', b'{"run":-5}', b'{"run":9223372036854775807}', b"[]"]
    )
    def test_a_corrupt_file_starts_at_1_and_is_named(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "state").write_bytes(content)
        begun = begin_run(tmp_path / "state")
        assert begun.state.run == 1
        assert begun.trouble
        assert begin_run(tmp_path / "state") == (AgentState(run=2), None)

    def test_it_remembers_the_outbox(self, tmp_path: Path) -> None:
        begun = begin_run(tmp_path / "state")
        assert begun == (AgentState(run=1), None)
        save(tmp_path / "state", AgentState(run=1, outbox=True))
        assert begin_run(tmp_path / "state").state == AgentState(run=2, outbox=True)

    def test_a_file_of_an_older_agent_counts_on(self, tmp_path: Path) -> None:
        (tmp_path / "state").write_bytes(b'{"run":41}')
        assert begin_run(tmp_path / "state").state == AgentState(run=42)

    def test_a_disk_that_refuses_is_said_and_lived_with(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        begun = begin_run(tmp_path / "missing" / "state")
        assert begun.state.run == 1
        assert "cannot be written" in (begun.trouble or "")
        assert [record.levelno for record in caplog.records] == [logging.ERROR]

    def test_a_write_replaces_the_whole(self, tmp_path: Path) -> None:
        path = tmp_path / "file"
        write_whole(path, b"a long old content")
        write_whole(path, b"new")
        assert path.read_bytes() == b"new"


class TestCommandPolicy:
    @pytest.mark.parametrize(
        ("accept", "command", "stage", "reason", "work"),
        [
            (False, Command(v=1, id="a", name="report_now"), "refused", "unsigned", None),
            (True, Command(v=1, id="a", name="report_now"), "done", None, "report_now"),
            (True, Command(v=1, id="a", name="dance"), "refused", "unknown_command", None),
            (True, Command(v=1, id="a", name="report_now", not_after=999), "refused", "expired", None),
            (True, Command(v=1, id="a", name="report_now", not_after=1000), "done", None, "report_now"),
        ],
    )
    def test_a_command_is_carried_out_or_refused_with_a_reason(
        self, accept: bool, command: Command, stage: str, reason: str | None, work: str | None
    ) -> None:
        reply, todo = CommandPolicy(accept_unsigned=accept).answer(command, 1000)
        assert (reply.id, reply.stage, reply.at, todo) == ("a", stage, 1000, work)
        assert reply.result == ({"reason": reason} if reason else msgspec.UNSET)

    def test_a_command_that_comes_twice_is_carried_out_once(self) -> None:
        policy = CommandPolicy(accept_unsigned=True)
        command = Command(v=1, id="a", name="report_now")
        first, work = policy.answer(command, 1000)
        again, nothing = policy.answer(command, 2000)
        assert (again, work, nothing) == (first, "report_now", None)

    def test_memory_of_commands_is_bounded(self) -> None:
        policy = CommandPolicy(accept_unsigned=True)
        for number in range(1000):
            policy.answer(Command(v=1, id=str(number), name="report_now"), 0)
        assert len(policy._replies) <= 64

    def test_only_newer_settings_are_applied(self) -> None:
        policy = CommandPolicy(accept_unsigned=True)
        assert [policy.accepts_config(Config(v=1, rev=rev)) for rev in (3, 3, 2, 4)] == [True, False, False, True]

    def test_unsigned_settings_are_not(self) -> None:
        assert not CommandPolicy(accept_unsigned=False).accepts_config(Config(v=1, rev=1))


class Sensor(NamedTuple):
    current: float


class TestCollectors:
    def test_this_machine_gives_a_health_record(self) -> None:
        values = collect(HEALTH, Subject(services={"nothing": "tcp://127.0.0.1:1", "me": "process:no-such-name"}))
        record = msgspec.convert({"kind": "health", "id": 1, "at": 0} | values, Health)
        assert record.cpu is not None
        assert record.mem
        assert record.disk
        assert record.rx is not None
        assert record.services == {"nothing": False, "me": False}

    def test_this_machine_gives_an_inventory(self) -> None:
        values = collect(INVENTORY, Subject())
        record = msgspec.convert({"kind": "inventory", "id": 1, "at": 0} | values, Inventory)
        assert record.agent == VERSION
        assert record.mem_bytes == psutil.virtual_memory().total
        assert record.disk_bytes

    def test_a_running_process_is_found(self) -> None:
        name = psutil.Process().name()
        assert collect(HEALTH, Subject(services={"me": f"process:{name}"}))["services"] == {"me": True}

    @pytest.mark.parametrize(
        ("readings", "expected"),
        [
            ({"cpu": [Sensor(41.26)], "disk": [Sensor(38), Sensor(44.44)]}, 44.4),
            ({}, None),
            ({"broken": [Sensor(-273.2), Sensor(1e6)]}, None),
        ],
        ids=["the hottest", "no sensors", "sensors that lie"],
    )
    def test_temperature(
        self, monkeypatch: pytest.MonkeyPatch, readings: dict[str, list[Sensor]], expected: float | None
    ) -> None:
        monkeypatch.setattr(psutil, "sensors_temperatures", lambda: readings, raising=False)
        assert collect(HEALTH, Subject()).get("temp") == expected

    @pytest.mark.parametrize(
        "check", ["tcp:", "tcp://nowhere", "tcp://127.0.0.1:0", "tcp://127.0.0.1:99999999", "", "?"]
    )
    def test_a_check_that_makes_no_sense_is_a_service_that_does_not_work(self, check: str) -> None:
        assert collect(HEALTH, Subject(services={"odd": check}))["services"] == {"odd": False}

    def test_a_port_that_is_too_large_is_not_the_port_of_its_last_16_bits(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            checks = {"right": f"tcp://127.0.0.1:{port}", "wrong": f"tcp://127.0.0.1:{port + 65_536}"}
            assert collect(HEALTH, Subject(services=checks))["services"] == {"right": True, "wrong": False}

    def test_a_collector_that_fails_costs_its_own_field_only(self) -> None:
        def fail(_: Subject) -> float:
            raise OSError("the sensor is gone")

        collectors = (Collector("bad", fail), Collector("none", lambda _: None), Collector("good", lambda _: 1))
        assert collect(collectors, Subject()) == {"good": 1}

    def test_a_missing_disk_costs_its_own_field_only(self) -> None:
        values = collect(HEALTH, Subject(disk="/no/such/mount"))
        assert "disk" not in values
        assert "mem" in values


class TestSampler:
    @pytest.fixture
    def sampler(self) -> Iterator[Sampler]:
        opened = Sampler(config(every=1, sample=1))
        yield opened
        opened.stop()

    def take(self, sampler: Sampler, kind: str) -> Sample:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            while sampler.taken:
                sample = sampler.taken.popleft()
                if sample.kind == kind:
                    return sample
            time.sleep(0.01)
        raise TimeoutError(kind)

    def test_it_takes_the_inventory_once_and_health_again_and_again(self, sampler: Sampler) -> None:
        sampler.supervise()
        assert self.take(sampler, "inventory").values["agent"] == VERSION
        first, second = self.take(sampler, "health"), self.take(sampler, "health")
        assert second.mono > first.mono
        assert "inventory" not in {sample.kind for sample in sampler.taken}

    def test_a_thread_that_died_is_replaced(self, sampler: Sampler, monkeypatch: pytest.MonkeyPatch) -> None:
        run, deaths = sampler._run, []

        def die_once() -> None:
            if deaths:
                run()
            deaths.append(1)

        monkeypatch.setattr(sampler, "_run", die_once)
        sampler.supervise()
        assert sampler._thread
        sampler._thread.join(10)
        sampler.supervise()
        assert self.take(sampler, "health")

    def test_a_check_that_hangs_is_told_and_makes_usable_unknown(self) -> None:
        sampler = Sampler(config(usable_command=("true",), every=1))
        sampler._usable, now = True, time.monotonic()
        assert (sampler.usable, sampler.hangs) == (True, False)
        sampler._usable_at = sampler._busy_since = now - 1000
        assert (sampler.usable, sampler.hangs) == (None, True)

    @pytest.mark.parametrize(
        ("command", "expected"), [(("true",), True), (("false",), False), (("/no/such/command",), None)]
    )
    def test_the_command_tells_whether_the_service_is_usable(
        self, command: tuple[str, ...], expected: bool | None
    ) -> None:
        sampler = Sampler(config(usable_command=command))
        sampler.supervise()
        assert sampler.checked.wait(20)
        assert sampler.usable is expected
        sampler.stop()


def test_a_deferred_module_is_loaded_when_it_is_used_and_only_then() -> None:
    program = (
        "import sys; from agents.lazy_import import import_lazily\n"
        "with import_lazily('urllib', 'request'):\n"
        "    import urllib.request\n"
        "print('http.client' in sys.modules, 'urllib.request' in sys.modules)\n"
        "print(urllib.request.getproxies.__module__, 'http.client' in sys.modules)\n"
        "import urllib.request as real\n"
        "print(real is urllib.request is sys.modules['urllib.request'], 'urlopen' in vars(real))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines() == ["False False", "urllib.request True", "True True"]


def test_the_agent_tells_the_version_of_the_distribution() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION


class TestDocument:
    TEXT = (ROOT / "docs" / "agent.md").read_text()

    def test_every_event_of_the_agent_is_explained(self) -> None:
        code = "".join(path.read_text() for path in (ROOT / "agents").rglob("*.py"))
        events = set(re.findall(r'(?:append_event|Finding)\("(\w+)"', code))
        assert len(events) >= 4
        assert events == set(re.findall(r"^\| `(\w+)` \|", self.TEXT, re.MULTILINE))

    def test_the_limits_are_those_of_the_code(self) -> None:
        defaults = config()
        assert f"{defaults.outbox_rows:,} and {defaults.outbox_bytes // 2**20} MiB" in self.TEXT
        assert f"at {defaults.backlog_rate} a second" in self.TEXT
        assert f"the last {SPARE_ROWS} records wait in memory" in self.TEXT
        assert f"within {RESEND_AFTER:g} s" in self.TEXT
        assert f"every {RESEND_AT_MOST / 60:g} minutes" in self.TEXT
