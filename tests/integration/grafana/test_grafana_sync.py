"""`milepost grafana sync` over HTTP, against the documented behaviour of the calls it makes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grafana import overview, sync
from grafana.texts import LANGUAGES
from milepost import cli
from tests.conftest import free_port
from tests.grafana_server import TOKEN, GrafanaServer, grafana_server

READER = "postgresql://milepost_grafana:p%40ss@db:5433/milepost?sslmode=verify-full"
THINGS = 2 + len(LANGUAGES)


@pytest.fixture
def server() -> Iterator[GrafanaServer]:
    with grafana_server() as running:
        yield running


def run(server: GrafanaServer, *more: str, **environ: str) -> int:
    given = {"MILEPOST_GRAFANA_URL": server.url, "MILEPOST_GRAFANA_TOKEN": TOKEN, "MILEPOST_READER_URL": READER}
    return cli.run(["grafana", "sync", *more], given | environ)


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.rpartition(": ")[2] for line in capsys.readouterr().out.splitlines()]


def refusal(capsys: pytest.CaptureFixture[str]) -> str:
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_an_empty_grafana_gets_all_of_it(server: GrafanaServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(server) == 0
    assert said(capsys) == ["created"] * THINGS
    assert list(server.folders) == ["milepost"]
    (source,) = server.datasources.values()
    assert (source["url"], source["user"], source["secureJsonData"]) == (
        "db:5433", "milepost_grafana", {"password": "p@ss"}
    )  # fmt: skip
    assert source["jsonData"] | {"database": "milepost", "sslmode": "verify-full"} == source["jsonData"]
    for language in LANGUAGES:
        kept = server.dashboards[overview.uid(language)]
        assert kept["meta"]["folderUid"] == "milepost"
        assert kept["dashboard"]["panels"] == overview.build(language)["panels"]


def test_the_second_time_nothing_is_written(server: GrafanaServer, capsys: pytest.CaptureFixture[str]) -> None:
    run(server)
    capsys.readouterr()
    server.written.clear()
    assert run(server) == 0
    assert said(capsys) == ["as it should be"] * THINGS
    assert server.written == []


def test_with_force_all_is_written_again(server: GrafanaServer, capsys: pytest.CaptureFixture[str]) -> None:
    run(server)
    capsys.readouterr()
    assert run(server, "--force", MILEPOST_READER_URL=READER.replace("p%40ss", "new")) == 0
    assert said(capsys) == ["as it should be", *["updated"] * (THINGS - 1)]
    assert server.datasources["milepost"]["secureJsonData"] == {"password": "new"}


def test_what_differs_is_updated_and_the_rest_left(
    server: GrafanaServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(server)
    capsys.readouterr()
    server.folders["milepost"]["title"] = "Renamed"
    server.dashboards[overview.uid("en")]["meta"]["folderUid"] = "elsewhere"
    build = overview.build
    monkeypatch.setattr(overview, "build", lambda each: build(each) | ({"refresh": "5s"} if each != "en" else {}))
    assert run(server, MILEPOST_READER_URL=READER.replace("5433", "5434")) == 0
    assert said(capsys) == ["updated"] * THINGS
    assert server.folders["milepost"]["title"] == "Milepost"
    assert server.datasources["milepost"]["url"] == "db:5434"
    assert server.dashboards[overview.uid("zh-CN")]["dashboard"]["refresh"] == "5s"
    assert {kept["meta"]["folderUid"] for kept in server.dashboards.values()} == {"milepost"}


def test_what_files_provision_is_left_alone(server: GrafanaServer, capsys: pytest.CaptureFixture[str]) -> None:
    run(server)
    capsys.readouterr()
    server.written.clear()
    server.datasources["milepost"]["readOnly"] = True
    for kept in server.dashboards.values():
        kept["meta"]["provisioned"] = True
    assert run(server, "--force") == 0
    assert said(capsys) == ["as it should be", *["comes from a file of this Grafana, left as it is"] * (THINGS - 1)]
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
        pytest.param((403, '{"message":"no"}'), "the token may not GET /folders/milepost", id="too few rights"),
        pytest.param((302, "<html>"), "give --url as the address of Grafana itself", id="a redirect is not followed"),
        pytest.param((200, "<html>"), "give --url as the address of Grafana itself", id="no Grafana"),
        pytest.param((200, "[]"), "give --url as the address of Grafana itself", id="another API"),
        pytest.param((500, '{"message":"disk full"}'), "answered 500 to GET /folders/milepost: disk full", id="broken"),
    ],
)
def test_what_grafana_answers_is_said(
    server: GrafanaServer, capsys: pytest.CaptureFixture[str], answer: tuple[int, str], says: str
) -> None:
    server.refuse = answer
    assert run(server) == 2
    assert says in refusal(capsys)


def test_no_grafana_at_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["grafana", "sync", "--url", f"http://127.0.0.1:{free_port()}", "--token", TOKEN], {}) == 2
    line = refusal(capsys)
    assert "cannot be reached" in line
    assert TOKEN not in line


def test_tls_is_required_unless_the_address_says_otherwise() -> None:
    assert sync.datasource("postgresql://u:p@h/d")["jsonData"]["sslmode"] == "require"
