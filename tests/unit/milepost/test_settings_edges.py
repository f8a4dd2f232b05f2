"""Every number of the table at its edges: it is taken and the services work with it, or it is refused by its name."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.ticks.census import Census
from contract.errors import RemedyError
from milepost import http
from milepost.cli import COMMANDS, needed
from milepost.services import incidents_config, liveness_settings, loss_settings
from milepost.settings import ORDERED, TABLE, Setting, Settings, load
from tests.simulator import Simulator

NUMBERS = [setting for setting in TABLE if setting.bounds is not None]
BY_FIELD = {setting.field: setting for setting in NUMBERS}
NEVER = (
    "nan",
    "-nan",
    "inf",
    "-inf",
    "1e308",
    "-1e308",
    "1" + "0" * 30,
    "0x10",
    "1,5",
    "1_0",
    "one",
    "-",
    "½",
    "1e-400",
)
WHOLE = [setting for setting in NUMBERS if "whole" in setting.allowed]
SERVER = {"database_url": "postgresql://u@h/d", "kafka_servers": "h:1"}


def edges(setting: Setting) -> tuple[float, float]:
    assert setting.bounds is not None
    return setting.bounds


def at(setting: Setting, value: float) -> Settings:
    """The settings with that one, and where two belong together with another that does not contradict it."""
    given = {setting.field: f"{value:.15g}"}
    for small, large in ORDERED:
        if setting.field == small:
            given[large] = f"{edges(BY_FIELD[large])[1]:.15g}"
        elif setting.field == large:
            given[small] = f"{edges(BY_FIELD[small])[0]:.15g}"
    return load({}, given | SERVER)


def each(settings: list[Setting]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("setting", settings, ids=[one.variable for one in settings])


@each(NUMBERS)
def test_a_number_has_bounds_within_which_it_is_taken(setting: Setting) -> None:
    low, high = edges(setting)
    assert 0 <= low < high < math.inf
    assert high <= 366 * 86_400, "no time is longer than a year, and no count than that"
    for value in (low, high):
        assert getattr(at(setting, value), setting.field) == value


@each(NUMBERS)
def test_a_number_beyond_them_is_refused_in_one_line_that_names_it(setting: Setting) -> None:
    low, high = edges(setting)
    beyond = (low - 1, math.nextafter(low, -math.inf), math.nextafter(high, math.inf), high + 1, 10 * high)
    for text in (*NEVER, *(f"{value:.17g}" for value in beyond)):
        if text == "1e-400" and low == 0:
            continue  # it is 0
        with pytest.raises(RemedyError) as wrong:
            load({setting.variable: text})
        (line,) = str(wrong.value).splitlines()
        assert line.startswith(f"{setting.variable} is {text!r}: it must be {setting.allowed}")


@each(WHOLE)
def test_a_whole_number_is_no_fraction(setting: Setting) -> None:
    with pytest.raises(RemedyError, match=setting.variable):
        load({setting.variable: f"{edges(setting)[0] + 0.5}"})


@given(st.sampled_from(NUMBERS), st.floats())
def test_what_is_taken_lies_within(setting: Setting, value: float) -> None:
    low, high = edges(setting)
    try:
        assert low <= getattr(at(setting, value), setting.field) <= high
    except RemedyError as exc:
        assert setting.option in str(exc)
        assert not low <= float(f"{value:.15g}") <= high or not value.is_integer()


@pytest.mark.parametrize(("small", "large"), ORDERED)
def test_two_that_contradict_each_other_are_named_both(small: str, large: str) -> None:
    little, much = BY_FIELD[small], BY_FIELD[large]
    high = f"{edges(little)[1]:.15g}"
    with pytest.raises(RemedyError, match=f"{little.variable} is .* and {much.variable} is .*") as wrong:
        load({little.variable: high})
    assert "\n" not in str(wrong.value)
    assert load({little.variable: high, much.variable: f"{edges(much)[1]:.15g}"})
    # A process that is given one of them is given the other: with the default it might contradict.
    assert all((small in needed(name)) == (large in needed(name)) for name in COMMANDS)


@pytest.mark.parametrize("port", ["0", "65536", "99999", "-1", "08000000"])
def test_a_port_of_a_server_is_one(port: str) -> None:
    with pytest.raises(RemedyError, match="MILEPOST_KAFKA_SERVERS"):
        load({"MILEPOST_KAFKA_SERVERS": f"h:9092,h:{port}"})
    assert load({"MILEPOST_KAFKA_SERVERS": "h:1,h:65535"}).kafka_servers == "h:1,h:65535"


URLS = {
    "MILEPOST_DATABASE_URL": "postgresql://u:p@{}/d",
    "MILEPOST_READER_URL": "postgresql://u:p@{}/d",
    "MILEPOST_MQTT_URL": "mqtt://u@{}",
    "MILEPOST_PUBLIC_URL": "https://{}/x",
    "MILEPOST_API_URL": "http://{}",
    "MILEPOST_DEADMAN_URL": "https://{}/ping",
    "MILEPOST_GRAFANA_URL": "https://{}",
}


@pytest.mark.parametrize("variable", URLS)
def test_a_port_in_an_address_is_one(variable: str) -> None:
    for place in ("h:0", "h:65536", "h:999999", "h:x", "h:-1", "[::1"):
        with pytest.raises(RemedyError, match=variable) as wrong:
            load({variable: URLS[variable].format(place)})
        assert "\n" not in str(wrong.value)
    for place in ("h", "h:1", "h:65535", "[::1]:8000", "10.0.0.1:80"):
        assert load({variable: URLS[variable].format(place)})


def test_a_database_may_have_several_hosts() -> None:
    assert load({"MILEPOST_DATABASE_URL": "postgresql://u:p,w@a:5432,b:5433/d"})
    with pytest.raises(RemedyError, match="MILEPOST_DATABASE_URL"):
        load({"MILEPOST_DATABASE_URL": "postgresql://u@a:5432,b:0/d"})


async def test_an_address_without_a_port_that_is_one_is_not_reached() -> None:
    for url in ("http://h:99999/", "http://h:x/", "http://[::1/", "http:///"):
        assert (await http.get(url)).status == 0


@pytest.mark.parametrize("edge", [0, 1], ids=["least", "most"])
@each([BY_FIELD[name] for name in sorted(needed("judge") | needed("bridge")) if name in BY_FIELD])
def test_judge_and_bridge_work_at_the_edges(setting: Setting, edge: int) -> None:
    """Who lives is online, and who died without a goodbye is offline."""
    settings = at(setting, edges(setting)[edge])
    simulator = Simulator(liveness_settings(settings))
    bridge = simulator.bridge
    bridge.census = Census(loss_settings(settings))
    terminals = simulator.add_many(8, every=1.0)
    simulator.run(30)
    simulator.die(terminals[0], will=True)
    simulator.run(60)
    live = simulator.live
    states = {station: live.station_word(row) for station, row in live.stations.index.items()}
    assert [states[one.station] for one in terminals[1:]] == ["online"] * 7
    assert states[terminals[0].station] == "offline"


@pytest.mark.parametrize("edge", [0, 1], ids=["least", "most"])
@each(NUMBERS)
def test_the_incident_process_can_be_told(setting: Setting, edge: int) -> None:
    config = incidents_config(at(setting, edges(setting)[edge]))
    assert config.rules.causes == config.parts.causes
