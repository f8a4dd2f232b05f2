"""`milepost grafana sync` over HTTP, against the documented behaviour of the calls it makes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grafana import sync
from grafana.dashboard import LANGUAGES, Dashboard
from grafana.datasource import datasource
from grafana.files import DASHBOARDS
from milepost import cli
from tests.grafana_server import TOKEN, GrafanaServer, grafana_server
from tests.servers import find_free_port

READER = "postgresql://milepost_grafana:p%40ss@db:5433/milepost?sslmode=verify-full"
COUNT = len(LANGUAGES) * len(DASHBOARDS)
THINGS = len(LANGUAGES) + 1 + COUNT
OVERVIEW = "milepost-overview-en"
BY_HAND = "was saved by hand in Grafana, left as it is (--force overwrites it)"


@pytest.fixture
def server() -> Iterator[GrafanaServer]:
    with grafana_server() as running:
        yield running


def run(server: GrafanaServer, *more: str, **environ: str) -> int:
    given = {"MILEPOST_GRAFANA_URL": server.url, "MILEPOST_GRAFANA_TOKEN": TOKEN, "MILEPOST_READER_URL": READER}
    return cli.run(["grafana", "sync", *more], given | environ)


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What became of each thing."""
    lines = capsys.readouterr().out.splitlines()
    return [line.rpartition(": ")[2] for line in lines if not line.startswith("  ")]


def changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new release refreshes every five seconds."""
    build = Dashboard.build
    monkeypatch.setattr(Dashboard, "build", lambda self, language: build(self, language) | {"refresh": "5s"})


def refusal(capsys: pytest.CaptureFixture[str]) -> str:
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_an_empty_grafana_gets_all_of_it(server: GrafanaServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(server) == 0
    assert said(capsys) == ["created"] * THINGS
    assert list(server.folders) == ["milepost-zh", "milepost-en"]
    (source,) = server.datasources.values()
    assert (source["url"], source["user"], source["secureJsonData"]) == (
        "db:5433", "milepost_grafana", {"password": "p@ss"}
    )  # fmt: skip
    assert source["jsonData"] | {"database": "milepost", "sslmode": "verify-full"} == source["jsonData"]
    assert len(server.dashboards) == COUNT
    for dashboard in DASHBOARDS:
        for language in LANGUAGES:
            kept = server.dashboards[dashboard.uid(language)]
            assert kept["meta"]["folderUid"] == sync.folder_of(language)["uid"]
            assert kept["dashboard"]["panels"] == dashboard.build(language)["panels"]


@pytest.mark.parametrize("lists_versions", [True, False], ids=["Grafana 11", "Grafana 12"])
def test_the_second_time_nothing_is_written(
    server: GrafanaServer, capsys: pytest.CaptureFixture[str], lists_versions: bool
) -> None:
    server.lists_versions = lists_versions
    run(server)
    capsys.readouterr()
    server.written.clear()
    assert run(server) == 0
    assert said(capsys) == ["as it should be"] * THINGS
    assert server.written == []


def test_a_dry_run_says_the_same_and_writes_nothing(server: GrafanaServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(server, "--dry-run") == 0
    assert said(capsys) == [*["created"] * THINGS, "nothing was written"]
    assert server.written == []


def test_with_force_all_is_written_again(server: GrafanaServer, capsys: pytest.CaptureFixture[str]) -> None:
    run(server)
    capsys.readouterr()
    assert run(server, "--force", MILEPOST_READER_URL=READER.replace("p%40ss", "new")) == 0
    assert said(capsys) == [*["as it should be"] * len(LANGUAGES), *["updated"] * (1 + COUNT)]
    assert server.datasources["milepost"]["secureJsonData"] == {"password": "new"}


def test_what_differs_is_updated_where_people_put_it(
    server: GrafanaServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(server)
    capsys.readouterr()
    server.folders["milepost-en"]["title"] = "Renamed"
    server.dashboards[OVERVIEW]["meta"]["folderUid"] = "elsewhere"
    server.folders["elsewhere"] = {"uid": "elsewhere", "title": "Elsewhere"}
    changed(monkeypatch)
    assert run(server, MILEPOST_READER_URL=READER.replace("5433", "5434")) == 0
    assert said(capsys) == [*["as it should be"] * len(LANGUAGES), *["updated"] * (1 + COUNT)]
    assert server.folders["milepost-en"]["title"] == "Renamed"
    assert server.datasources["milepost"]["url"] == "db:5434"
    assert server.dashboards[OVERVIEW]["dashboard"]["refresh"] == "5s"
    assert server.dashboards[OVERVIEW]["meta"]["folderUid"] == "elsewhere"


@pytest.mark.parametrize(
    ("changes", "became"),
    [
        pytest.param({"title": "Mine"}, BY_HAND, id="a title"),
        pytest.param(
            {"schemaVersion": 99},
            "was saved by hand in a newer format than ours, left as it is (--force overwrites it)",
            id="a newer format",
        ),
        pytest.param({"tags": ["other"]}, "another dashboard has this uid, left as it is", id="no tag of ours"),
    ],
)
def test_what_people_saved_is_left_and_named(
    server: GrafanaServer,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    became: str,
) -> None:
    run(server)
    server.save_by_hand(OVERVIEW, **{"schemaVersion": 42, **changes})
    kept = dict(server.dashboards[OVERVIEW]["dashboard"])
    capsys.readouterr()
    changed(monkeypatch)
    assert run(server) == 0
    assert said(capsys).count(became) == 1
    assert server.dashboards[OVERVIEW]["dashboard"] == kept
    assert run(server, "--force") == 0
    assert server.dashboards[OVERVIEW]["dashboard"]["refresh"] == "5s"


def test_the_panels_that_differ_are_listed(server: GrafanaServer, capsys: pytest.CaptureFixture[str]) -> None:
    run(server)
    panels = [
        panel for panel in server.dashboards[OVERVIEW]["dashboard"]["panels"] if panel["title"] != "Stations by verdict"
    ]
    panels[0] = {**panels[0], "targets": [{**panels[0]["targets"][0], "rawSql": "SELECT 1"}]}
    server.save_by_hand(OVERVIEW, panels=[*panels, {"title": "My own", "targets": []}])
    capsys.readouterr()
    assert run(server, "--dry-run") == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    assert lines == ["  + Stations by verdict", "  - My own", "  ~ Should be open, and what is wrong"]


def test_a_run_that_breaks_off_is_finished_by_the_next(
    server: GrafanaServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.breaks_after = 7
    assert run(server) == 2
    assert "cannot be reached" in refusal(capsys)
    assert len(server.dashboards) == 7 - len(LANGUAGES) - 1
    server.breaks_after = None
    assert run(server) == 0
    assert said(capsys) == [*["as it should be"] * 7, *["created"] * (THINGS - 7)]


def test_what_files_provision_is_left_alone(server: GrafanaServer, capsys: pytest.CaptureFixture[str]) -> None:
    run(server)
    capsys.readouterr()
    server.written.clear()
    server.datasources["milepost"]["readOnly"] = True
    for kept in server.dashboards.values():
        kept["meta"]["provisioned"] = True
    assert run(server, "--force") == 0
    left = "comes from a file of this Grafana, left as it is"
    assert said(capsys) == [*["as it should be"] * len(LANGUAGES), *[left] * (1 + COUNT)]
    assert server.written == []


def test_without_the_readers_address_the_data_source_stays(
    server: GrafanaServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(server, MILEPOST_READER_URL="") == 2
    assert "set MILEPOST_READER_URL" in refusal(capsys)
    run(server)
    capsys.readouterr()
    assert run(server, MILEPOST_READER_URL="") == 0
    assert said(capsys) == ["as it should be"] * THINGS


def test_the_token_may_be_in_a_file_or_an_argument(server: GrafanaServer, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    assert run(server, MILEPOST_GRAFANA_TOKEN="", MILEPOST_GRAFANA_TOKEN_FILE=str(file)) == 0
    assert run(server, "--url", server.url, "--token", TOKEN, MILEPOST_GRAFANA_TOKEN="", MILEPOST_GRAFANA_URL="") == 0


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        pytest.param({"MILEPOST_GRAFANA_TOKEN": ""}, "MILEPOST_GRAFANA_TOKEN is not set", id="no token"),
        pytest.param({"MILEPOST_GRAFANA_URL": ""}, "MILEPOST_GRAFANA_URL is not set", id="no address"),
        pytest.param({"MILEPOST_GRAFANA_TOKEN": "wrong"}, "does not know the token", id="a wrong token"),
    ],
)
def test_what_a_person_must_mend(
    server: GrafanaServer, capsys: pytest.CaptureFixture[str], environ: dict[str, Any], says: str
) -> None:
    assert run(server, **environ) == 2
    assert says in refusal(capsys)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        pytest.param((403, '{"message":"no"}'), "the token may not GET /folders/milepost-zh", id="too few rights"),
        pytest.param((302, "<html>"), "give --url as the address of Grafana itself", id="a redirect is not followed"),
        pytest.param((200, "<html>"), "give --url as the address of Grafana itself", id="no Grafana"),
        pytest.param((200, "[]"), "give --url as the address of Grafana itself", id="another API"),
        pytest.param(
            (500, '{"message":"disk full"}'), "answered 500 to GET /folders/milepost-zh: disk full", id="broken"
        ),
    ],
)
def test_what_grafana_answers_is_said(
    server: GrafanaServer, capsys: pytest.CaptureFixture[str], answer: tuple[int, str], says: str
) -> None:
    server.refuse = answer
    assert run(server) == 2
    assert says in refusal(capsys)


def test_no_grafana_at_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["grafana", "sync", "--url", f"http://127.0.0.1:{find_free_port()}", "--token", TOKEN], {}) == 2
    line = refusal(capsys)
    assert "cannot be reached" in line
    assert TOKEN not in line


def test_tls_is_required_unless_the_address_says_otherwise() -> None:
    assert datasource("postgresql://u:p@h/d")["jsonData"]["sslmode"] == "require"
