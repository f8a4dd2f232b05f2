import re
from dataclasses import fields
from pathlib import Path

import msgspec
import pytest

from alerting.causes.suspicion_rules import MassSettings
from alerting.liveness.model import LivenessSettings
from alerting.liveness.pipeline_clock import ClockSettings
from broker.ticks.losses import LossSettings
from contract.errors import RemedyError
from milepost.settings import TABLE, Secret, Settings, load, require, to_environ, unknown
from milepost.settings.document import render_markdown

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("variable", "value", "field", "expected"),
    [
        pytest.param("MILEPOST_HTTP_PORT", "8080", "http_port", 8080, id="a number"),
        pytest.param("MILEPOST_DATA", "/srv/data", "data", Path("/srv/data"), id="a path"),
        pytest.param("MILEPOST_AUTO_REGISTER", "true", "auto_register", True, id="a switch"),
        pytest.param("MILEPOST_AUTO_REGISTER", "on", "auto_register", True, id="a switch as people write it"),
        pytest.param("MILEPOST_AUTO_REGISTER", "No", "auto_register", False, id="a switch in capitals"),
        pytest.param("MILEPOST_LANGUAGE", "en", "language", "en", id="a choice"),
        pytest.param("MILEPOST_MQTT_URL", "mqtts://u@h:1", "mqtt_url", "mqtts://u@h:1", id="a broker"),
        pytest.param("MILEPOST_KAFKA_SERVERS", "a:1,b:2", "kafka_servers", "a:1,b:2", id="two servers"),
        pytest.param("MILEPOST_KAFKA_SERVERS", "", "kafka_servers", None, id="empty is unset"),
        pytest.param("MILEPOST_TRUSTED_PROXIES", "10.0.0.1, ::1", "trusted_proxies", "10.0.0.1, ::1", id="proxies"),
        pytest.param("MILEPOST_HTTP_PORT", " 81 ", "http_port", 81, id="white space around it"),
    ],
)
def test_a_variable_sets_its_field(variable: str, value: str, field: str, expected: object) -> None:
    assert getattr(load({variable: value}), field) == expected


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        pytest.param("MILEPOST_HTTP_PORT", "http", "a whole number from 1 to 65535", id="no number"),
        pytest.param("MILEPOST_HTTP_PORT", "70000", "a whole number from 1 to 65535", id="too large"),
        pytest.param("MILEPOST_PARTITIONS", "0", "a whole number from 1 to 1024", id="too small"),
        pytest.param("MILEPOST_KAFKA_IDEMPOTENT", "perhaps", "`true` or `false`", id="no switch"),
        pytest.param("MILEPOST_LANGUAGE", "de", "one of `zh-CN`, `en`", id="not among the choices"),
        pytest.param("MILEPOST_FLOOR", "soon", "a number from 0.1 to 3600", id="no decimal number"),
        pytest.param("MILEPOST_INSTANCE", "a b", "1 to 64 letters", id="a blank in a name"),
        pytest.param("MILEPOST_MQTT_URL", "http://h", "`mqtt://user@host:port`", id="another scheme"),
        pytest.param("MILEPOST_KAFKA_SERVERS", "kafka", "`host:port,host:port`", id="no port"),
        pytest.param("MILEPOST_TRUSTED_PROXIES", "*", "addresses and networks", id="every proxy"),
        pytest.param("MILEPOST_TRUSTED_PROXIES", "0.0.0.0/0", "addresses and networks", id="every address"),
        pytest.param("MILEPOST_TRUSTED_PROXIES", "10.0.0.1,", "addresses and networks", id="nothing after a comma"),
        pytest.param("MILEPOST_TRUSTED_PROXIES", "10.0.0.1/8", "addresses and networks", id="no network"),
        pytest.param("MILEPOST_DATABASE_URL", "mysql://h/d", "`postgresql://", id="another database"),
    ],
)
def test_a_wrong_value_names_the_variable_and_what_is_allowed(variable: str, value: str, allowed: str) -> None:
    with pytest.raises(RemedyError, match=variable) as caught:
        load({variable: value})
    assert allowed in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_option_wins_over_the_variable_and_is_named_in_its_own_error() -> None:
    environ = {"MILEPOST_HTTP_PORT": "1"}
    assert load(environ, {"http_port": "2"}).http_port == 2
    with pytest.raises(RemedyError, match="--http-port is 'x'"):
        load(environ, {"http_port": "x"})


def test_a_secret_is_never_shown() -> None:
    settings = load({"MILEPOST_DATABASE_URL": "postgresql://u:geheim@h/d", "MILEPOST_ALERT_URLS": "wecombot://geheim"})
    assert settings.database_url == Secret("postgresql://u:geheim@h/d")
    assert "geheim" not in f"{settings} {settings!r} {settings.database_url} {settings.alert_urls!r}"


@pytest.mark.parametrize(
    ("urls", "right"),
    [
        pytest.param("wecombot://a dingtalk://s@b", True, id="two"),
        pytest.param("wecombot://a\n  dingtalk://s@b\n", True, id="a line each"),
        pytest.param("mailto://u:p@h?to=a@x.cn,b@y.cn", True, id="a comma of the URL's own"),
        pytest.param("wecombot://a,dingtalk://b", False, id="a comma between two"),
        pytest.param("wecombot://a, dingtalk://b", False, id="a comma and a blank"),
        pytest.param("wecombot://a;dingtalk://b", False, id="a semicolon"),
        pytest.param("wecombot://a dingtalk://b,", False, id="a comma at the end"),
        pytest.param("wecombot://a dingtalk", False, id="no URL"),
    ],
)
def test_alert_urls_are_separated_by_white_space_alone(urls: str, right: bool) -> None:
    if right:
        assert load({"MILEPOST_ALERT_URLS": urls}).alert_urls == Secret(urls.strip())
        return
    with pytest.raises(
        RemedyError, match=r"MILEPOST_ALERT_URLS has a wrong form.*white space and not by commas"
    ) as wrong:
        load({"MILEPOST_ALERT_URLS": urls})
    assert "dingtalk" not in str(wrong.value)


@pytest.mark.parametrize("variable", ["MILEPOST_DATABASE_URL", "MILEPOST_MQTT_URL"])
def test_a_wrong_url_is_not_repeated_because_it_may_hold_a_password(variable: str) -> None:
    with pytest.raises(RemedyError) as caught:
        load({variable: "//user:geheim@host"})
    assert "geheim" not in str(caught.value)


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("postgresql://u:p@h/d\n", encoding="utf-8")
    assert load({"MILEPOST_DATABASE_URL_FILE": str(file)}).database_url == Secret("postgresql://u:p@h/d")
    with pytest.raises(RemedyError, match="both set"):
        load({"MILEPOST_DATABASE_URL_FILE": str(file), "MILEPOST_DATABASE_URL": "postgresql://h/d"})
    with pytest.raises(RemedyError, match=r"MILEPOST_DATABASE_URL_FILE names .*, which cannot be read"):
        load({"MILEPOST_DATABASE_URL_FILE": str(tmp_path / "none")})


def test_children_get_the_same_settings() -> None:
    settings = load(
        {
            "MILEPOST_DATABASE_URL": "postgresql://u:p@h/d",
            "MILEPOST_AUTO_REGISTER": "off",
            "MILEPOST_DATA": "/d",
            "MILEPOST_PARTITIONS": "3",
        }
    )
    assert load(to_environ(settings)) == settings


def test_a_misspelt_variable_is_noticed() -> None:
    environ = {"MILEPOST_HTTP_PROT": "1", "MILEPOST_TEST_DATABASE_URL": "x", "MILEPOST_DATABASE_URL_FILE": "x"}
    assert unknown(environ) == ["MILEPOST_HTTP_PROT is not a setting: did you mean MILEPOST_HTTP_PORT?"]


def test_what_a_command_cannot_do_without_is_asked_for() -> None:
    assert require("x", "MILEPOST_MQTT_URL", "mqtt://h") == "x"
    with pytest.raises(RemedyError, match="MILEPOST_MQTT_URL is not set: give it as mqtt://h"):
        require(None, "MILEPOST_MQTT_URL", "mqtt://h")


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        pytest.param({}, "http://127.0.0.1:8000", id="the default"),
        pytest.param({"MILEPOST_HTTP_HOST": "::"}, "http://[::1]:8000", id="every address is none to go to"),
        pytest.param({"MILEPOST_HTTP_HOST": "::1"}, "http://[::1]:8000", id="IPv6"),
        pytest.param({"MILEPOST_PUBLIC_URL": "https://m.example/"}, "https://m.example", id="what people use"),
    ],
)
def test_the_console_has_an_address(environ: dict[str, str], url: str) -> None:
    assert load(environ).console_url == url


def test_the_defaults_of_liveness_are_those_of_the_judge() -> None:
    clock, liveness, settings = ClockSettings(), LivenessSettings(), Settings()
    assert (settings.missed_heartbeats, settings.floor, settings.will_grace) == (
        liveness.k,
        liveness.floor,
        liveness.will_grace,
    )
    assert settings.longest_tick == clock.longest
    mass = MassSettings()
    for name in ("share", "least", "margin"):
        assert getattr(settings, f"mass_{name}") == getattr(mass, name)
    losses = msgspec.structs.asdict(LossSettings())
    assert {name: getattr(settings, f"loss_{name}") for name in losses} == losses


def test_every_setting_says_what_it_means() -> None:
    assert len(TABLE) == len(fields(Settings))
    assert all(setting.meaning.endswith(".") and setting.allowed for setting in TABLE)


def test_the_document_is_the_table() -> None:
    written = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert written == render_markdown(), "write it anew: python -m milepost.settings"


def test_no_setting_is_read_past_the_table() -> None:
    """A variable that some module reads by itself would be in no document."""
    known = {setting.variable for setting in TABLE}
    rooms = (
        "access",
        "agents",
        "alerting",
        "api",
        "audit",
        "broker",
        "contract",
        "ingest",
        "milepost",
        "registry",
        "store",
    )
    for room in rooms:
        for path in (ROOT / room).rglob("*.py"):
            for name in re.findall(r"MILEPOST_[A-Z_]*[A-Z]", path.read_text(encoding="utf-8")):
                assert name in known or name.removesuffix("_FILE") in known, f"{path} speaks of {name}"
