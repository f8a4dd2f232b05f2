"""docker-compose.yml against what it starts: command line, settings, processes, files; and that it is safe to run."""

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from milepost.cli import COMMANDS
from milepost.settings import TABLE

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("milepost:")}
THEIRS = {name: service for name, service in SERVICES.items() if name not in OURS}
ONE_SHOT = {"accounts", "migrate", "topics", "mosquitto-volume"}
# They listen nowhere. What only a restart cures ends them, and `/readyz` of the API says whether the whole works.
WITHOUT_EAR = {"ingest", "judge", "health", "incidents", "deliver", "audit", "watch"}
# The table of processes calls servers by what they are, and terminals are elsewhere.
NAMES = {"MQTT broker": "mosquitto", "Kafka": "kafka", "PostgreSQL": "timescaledb", "Grafana": "grafana"}
MOSQUITTO_CONF = (ROOT / "broker/mosquitto.conf").read_text(encoding="utf-8")

each_service = pytest.mark.parametrize("name", SERVICES)


def variables(service: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = service.get("environment", {})
    return found


def mounts(service: dict[str, Any]) -> dict[str, str]:
    """{target: source} of a service."""
    pairs = [
        v if isinstance(v, dict) else dict(zip(("source", "target"), v.split(":"), strict=True)) for v in _of(service)
    ]
    return {pair["target"]: pair["source"] for pair in pairs}


def _of(service: dict[str, Any]) -> list[Any]:
    volumes: list[Any] = service.get("volumes", [])
    return volumes


def test_it_is_a_compose_file() -> None:
    schema = json.loads((files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json").read_text())
    jsonschema.validate(COMPOSE, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"services": {"api": {"imagine": "x"}}}, schema)


def test_services_are_the_processes_of_the_architecture() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8").partition("## Processes and ports")[2]
    rows = re.findall(r"^\| ([^|]+?) \|", text.partition("\n## ")[0], flags=re.MULTILINE)
    # Terminals are elsewhere, and simulated ones have no place in production.
    processes = {NAMES.get(row, row) for row in rows if row not in ("process", "---", "agent", "fleet")}
    assert processes == set(SERVICES) - {"accounts", "mosquitto-volume"}


@pytest.mark.parametrize("name", OURS)
def test_each_of_ours_runs_the_command_of_its_name(name: str) -> None:
    assert OURS[name]["command"] == [name]
    assert name in COMMANDS


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_a_setting_that_the_service_has(name: str) -> None:
    known = {setting.variable for setting in TABLE} | {f"{s.variable}_FILE" for s in TABLE if s.secret}
    assert set(variables(OURS[name])) <= known


def test_no_variable_of_ours_is_anywhere_else_either() -> None:
    known = {setting.variable for setting in TABLE} | {f"{s.variable}_FILE" for s in TABLE if s.secret}
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert set(re.findall(r"MILEPOST_[A-Z_]+", TEXT + example)) <= known


def test_what_the_file_asks_of_the_environment_is_in_the_example() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    asked = set(re.findall(r"\$\{([A-Z_]+)", TEXT)) - {"TAG"}
    assert asked == set(re.findall(r"^([A-Z_]+)=", example, flags=re.MULTILINE))


@each_service
def test_every_image_is_pinned(name: str) -> None:
    if name not in OURS:
        assert re.fullmatch(r"[a-z/-]+:\d+\.\d+\.\d+(-pg\d+)?", SERVICES[name]["image"])


def test_the_base_image_is_pinned_and_the_image_runs_as_nobody_special() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    bases = {line.split()[1] for line in lines if line.startswith("FROM")}
    assert all(re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", base) for base in bases)
    users = {line.split()[1] for line in lines if line.startswith("USER")}
    assert users == {service["user"] for service in OURS.values()} == {"10001:10001"}


def test_no_secret_is_in_the_file() -> None:
    for name, service in SERVICES.items():
        for variable, value in variables(service).items():
            if re.search(r"PASSWORD|TOKEN|SECRET|DATABASE_URL|ALERT_URLS", variable):
                assert variable.endswith("_FILE"), f"{name}: {variable}"
                assert value.removeprefix("/run/secrets/") in service["secrets"]
    assert not re.search(r"://[^/\s:]+:[^/\s@]+@", TEXT)


def test_only_migrate_owns_the_tables() -> None:
    owners = {name for name, service in SERVICES.items() if "database_url" in service.get("secrets", ())}
    assert owners == {"migrate"}
    used = {name for name, service in OURS.items() if "services_url" in service.get("secrets", ())}
    assert used == {"ingest", "judge", "health", "incidents", "deliver", "watch"}
    for name in used:
        assert variables(OURS[name])["MILEPOST_DATABASE_URL_FILE"] == "/run/secrets/services_url"
    for name, secret in (("api", "api_url"), ("audit", "audit_url")):
        assert variables(OURS[name])["MILEPOST_DATABASE_URL_FILE"] == f"/run/secrets/{secret}"
        assert {other for other, service in SERVICES.items() if secret in service.get("secrets", ())} == {name}


def test_the_newest_checkpoint_lies_outside_the_database() -> None:
    where = mounts(OURS["audit"])
    for setting in ("MILEPOST_LEDGER_KEY", "MILEPOST_LEDGER_CHECKPOINT"):
        assert where[str(Path(variables(OURS["audit"])[setting]).parent)] == "ledger"
    assert "ledger" not in mounts(SERVICES["timescaledb"]).values()


@each_service
def test_secrets_are_files_that_the_script_makes(name: str) -> None:
    script = (ROOT / "deploy/make-secrets").read_text(encoding="utf-8")
    for secret in SERVICES[name].get("secrets", []):
        assert COMPOSE["secrets"][secret] == {"file": f"./secrets/{secret}"}
        assert re.search(rf"\b{secret}\b", script)


@each_service
def test_each_can_do_little(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service.get("read_only") or name == "kafka"
    assert name == "mosquitto-volume" or re.match(r"[1-9]\d*:", service["user"])


@each_service
def test_each_is_started_again_and_looked_at(name: str) -> None:
    service = SERVICES[name]
    if name in ONE_SHOT:
        assert service["restart"] in ("no", "on-failure:5")
    else:
        assert service["restart"] == "unless-stopped"
        assert ("healthcheck" in service) == (name not in WITHOUT_EAR)


@each_service
def test_each_waits_for_what_it_needs(name: str) -> None:
    waits = SERVICES[name].get("depends_on", {})
    for other, how in waits.items():
        expected = "service_completed_successfully" if other in ONE_SHOT else "service_healthy"
        assert how == {"condition": expected}
    if name in OURS and name not in ("migrate", "topics", "bridge"):
        assert {"migrate", "topics", "timescaledb", "kafka"} <= set(waits)


def test_only_these_ports_are_published_and_only_mqtt_beyond_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {
        "mosquitto": ["${MQTT_BIND:-0.0.0.0}:8883:8883"],
        "api": ["${HTTP_BIND:-127.0.0.1}:8000:8000"],
        "grafana": ["${GRAFANA_BIND:-127.0.0.1}:3000:3000"],
    }


def test_only_who_must_be_reached_or_reaches_out_is_on_the_outer_network() -> None:
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    outside = {name for name, service in SERVICES.items() if "edge" in service.get("networks", ())}
    assert outside == {"mosquitto", "api", "grafana", "deliver", "watch"}


def test_two_of_what_scales() -> None:
    assert {n: s["deploy"]["replicas"] for n, s in SERVICES.items() if "deploy" in s} == {"ingest": 2, "judge": 2}


def test_every_path_of_mosquittos_file_is_mounted() -> None:
    where = mounts(SERVICES["mosquitto"])
    told = dict(line.split(maxsplit=1) for line in MOSQUITTO_CONF.splitlines() if line and not line.startswith("#"))
    for directive in ("password_file", "acl_file"):
        assert told[directive] in where
    assert where[told["acl_file"]] == "./broker/acl"
    assert {str(Path(told[name]).parent) for name in ("certfile", "keyfile")} <= set(where)
    assert where[told["persistence_location"].rstrip("/")] == "mosquitto"
    assert SERVICES["mosquitto"]["command"][-1] in where
    assert told["listener"] == "8883"


@each_service
def test_mounted_files_of_ours_are_there_and_volumes_are_declared(name: str) -> None:
    made_by_hand = "./deploy/mosquitto/"
    for source in mounts(SERVICES[name]).values():
        if source.startswith("./"):
            assert source.startswith(made_by_hand) or (ROOT / source).exists()
        else:
            assert source in COMPOSE["volumes"]


def test_grafana_is_told_what_its_provisioning_asks() -> None:
    provisioning = (ROOT / "grafana/provisioning/datasources/milepost.yaml").read_text(encoding="utf-8")
    service = SERVICES["grafana"]
    assert set(re.findall(r"\$\{(\w+)\}", provisioning)) <= set(variables(service))
    (secret,) = re.findall(r"\$__file\{/run/secrets/(\w+)\}", provisioning)
    assert secret in service["secrets"]
    providers = yaml.safe_load((ROOT / "grafana/provisioning/dashboards/milepost.yaml").read_text(encoding="utf-8"))
    for provider in providers["providers"]:
        folder, language = provider["options"]["path"].rsplit("/", 1)
        assert mounts(service)[folder] == "./grafana/dashboards"
        assert (ROOT / "grafana/dashboards" / language / "overview.json").is_file()


def test_what_the_image_is_built_from_is_what_the_wheel_is_made_of() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_in = {line[1:] for line in lines if line.startswith("!")}
    assert let_in == packages | {"pyproject.toml", "constraints.txt", "README.md", "LICENSE"}
