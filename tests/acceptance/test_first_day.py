"""docs/first-day.md as it stands: on a clean clone, with the printed ports and addresses, on machines of its own."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.acceptance.stack import wait_until
from tests.acceptance.windows import Window, blocks, save_workbook
from tests.namespaces import Machines, on, run_on, two_machines
from tests.servers import clean_environ

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "first-day.md").read_text(encoding="utf-8")
URL = "http://127.0.0.1:8000"
GOES_ON = {"milepost up": r"\r\nready\r\n", "receiver.py": "listening", "milepost agent": "connected"}
"""Commands that go on, and the pattern by which their output shows that they work."""
OTHER = "other-machine"
ONLINE = f"{OTHER} internet"
"""The other machine too, while it is not cut off from everything but the first."""
FIRST, SECOND = "6302220001", "6302220002"
CHROMIUM = shutil.which("chromium")

pytestmark = pytest.mark.timeout(1200)


@pytest.fixture
def machines() -> Iterator[Machines]:
    with two_machines() as both:
        yield both


@pytest.fixture
def clone(server_dir: Path) -> Iterator[Path]:
    """The files of the project and nothing else, with what `make` installs: without the internet it could not."""
    place, other = server_dir / "first-day", server_dir / "first-day-other"
    for clean in (place, other):
        clean.mkdir(mode=0o755)
        for name in files():
            (clean / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, clean / name)
    make = shutil.which("make") or "/usr/bin/make"
    subprocess.run([make, "--silent", ".venv/.demo"], cwd=place, env=environ(), check=True, timeout=600)
    yield place
    for clean in (place, other):
        shutil.rmtree(clean, ignore_errors=True)


def files() -> list[str]:
    """The files of the project, also those that are not committed yet."""
    listing = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    found = subprocess.run(listing, check=True, capture_output=True).stdout.decode()
    return [name for name in found.split("\0") if name and (ROOT / name).is_file()]


def outside() -> tuple[str, ...]:
    """What runs a command in the network of the test itself."""
    return ("nsenter", f"--net=/proc/{os.getpid()}/ns/net")


def environ() -> dict[str, str]:
    return clean_environ("PYTHONPATH", "VIRTUAL_ENV")


class FirstDay:
    """The reader: types each block where the page says, and looks at what the page says is to be seen."""

    def __init__(self, clone: Path, machines: Machines, browser: Browser) -> None:
        self._clone, self._machines, self._browser = clone, machines, browser
        self._other = clone.with_name(f"{clone.name}-other")
        self._windows: dict[str, Window] = {}
        self._signed_in: list[Any] = []
        self._incident: dict[str, Any] = {}
        self.took: dict[str, float] = {}

    def follow(self) -> None:
        """Type everything; after the first, second, … block of a step look at what there is to be seen by then."""
        seen, typed = self._to_see(), dict[str, int]()
        for block in blocks(PAGE):
            began = time.monotonic()
            if block.kind == "csv":
                save_workbook(block, self._clone)
                continue
            step = block.step.partition(".")[0]
            typed[step] = typed.get(step, 0) + 1
            said = self._type(block.name, block.lines)
            look = seen.pop(f"{step}/{typed[step]}", None)
            if look is not None:
                look(said)
            self.took[block.step] = self.took.get(block.step, 0.0) + time.monotonic() - began
        assert not seen, f"steps of the page that are not there: {sorted(seen)}"

    def close(self) -> None:
        for window in self._windows.values():
            window.close()

    def _type(self, name: str, lines: Sequence[str]) -> str:
        if name not in self._windows:
            self._windows[name] = self._open(name)
        until = next((pattern for word, pattern in GOES_ON.items() if word in lines[-1] and lines[-1][-1] != "&"), "")
        return self._windows[name].type(lines, until=until, seconds=300)

    def _open(self, name: str) -> Window:
        if name == ONLINE:
            return Window(self._other, environ(), outside())
        if name == OTHER:
            return Window(self._other, environ(), on(self._machines.there))
        return Window(self._clone, environ())

    # -- what is to be seen ------------------------------------------------------------------------------------

    def _to_see(self) -> dict[str, Callable[[str], None]]:
        return {
            "1/1": self._the_demo_was_told,
            "3/1": self._a_browser_is_let_in,
            "4/1": self._the_stations_are_there,
            "5/2": lambda _: self._wait_for("online", FIRST),
            "6/1": self._the_password_is_brought,
            "6/2": lambda _: self._wait_for("online", SECOND),
            "7/1": self._a_browser_is_let_in,
            "8/1": self._the_alert_came,
            "8/2": self._the_end_was_told,
            "9/1": self._nothing_was_lost,
            "10/1": self._the_backup_is_ours_alone,
            "11/1": self._all_is_there_again,
            "12/2": self._nothing_is_left,
            "12/3": self._nothing_runs,
        }

    def _the_demo_was_told(self, said: str) -> None:
        assert "OFFLINE" in said or "离线" in said

    def _a_browser_is_let_in(self, said: str) -> None:
        """By the link that was printed, which works once."""
        (link,) = set(re.findall(rf"{URL}/signin\?code=\S+", said))
        page = self._browser.new_context().new_page()
        page.goto(link)
        page.get_by_role("button").first.click()
        page.wait_for_url(f"{URL}/")
        self._signed_in.append(page)
        again = self._browser.new_context().new_page()
        again.goto(link)
        assert "/signin" in again.url
        again.context.close()

    def _the_stations_are_there(self, said: str) -> None:
        assert said.count("Applied.") == 2
        assert len(self._get("stations")["items"]) == 2
        station = self._get(f"stations/{FIRST}")
        assert (station["name"], station["verdict"]) == ("川口镇数字阅览室", "never_seen")

    def _the_password_is_brought(self, _: str) -> None:
        shutil.move(self._clone / f"{SECOND}.password", self._other)

    def _wait_for(self, verdict: str, station: str) -> None:
        wait_until(lambda: self._verdict(station) == verdict, 60, lambda: f"{station} is {self._verdict(station)}")

    def _the_alert_came(self, _: str) -> None:
        self._wait_for("offline", FIRST)
        said = self._windows["window-2"].until('"type": "milepost.incident.opened"', seconds=60)
        assert "川口镇数字阅览室" in said
        (self._incident,) = [one for one in self._get("incidents")["items"] if one["kind"] == "station_offline"]
        assert (self._incident["station"], self._incident["status"]) == (FIRST, "open")
        assert self._verdict(SECOND) == "online"

    def _the_end_was_told(self, _: str) -> None:
        self._wait_for("online", FIRST)
        self._windows["window-2"].until('"type": "milepost.incident.closed"', seconds=60)
        assert self._get(f"incidents/{self._incident['id']}")["status"] == "closed"

    def _nothing_was_lost(self, _: str) -> None:
        for station in (FIRST, SECOND):
            self._wait_for("online", station)
        assert [one["id"] for one in self._get("incidents?kind=station_offline")["items"]] == [self._incident["id"]]
        for page in self._signed_in:
            assert page.goto(f"{URL}/stations/{FIRST}").status == 200

    def _the_backup_is_ours_alone(self, _: str) -> None:
        assert (self._clone / "first-day.zip").stat().st_mode & 0o777 == 0o600

    def _all_is_there_again(self, _: str) -> None:
        self._nothing_was_kept_of_browsers()
        for station in (FIRST, SECOND):
            self._wait_for("online", station)
        assert [one["id"] for one in self._get("incidents?kind=station_offline")["items"]] == [self._incident["id"]]
        verdicts = [one["verdict"] for one in self._get(f"stations/{FIRST}/timeline")["intervals"]]
        assert "offline" in verdicts

    def _nothing_was_kept_of_browsers(self) -> None:
        assert [page.goto(f"{URL}/").status for page in self._signed_in] == [401, 401]

    def _nothing_is_left(self, _: str) -> None:
        known = {Path(name).parts[0] for name in files()}
        made = {"areas.xlsx", "stations.xlsx"}
        left = {path.name for path in self._clone.iterdir()} - known - made
        assert left == set()

    def _nothing_runs(self, _: str) -> None:
        wait_until(lambda: not self._running(), 30, lambda: f"still there: {self._running()}")

    def _running(self) -> list[str]:
        found = (" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"]))
        return [line for line in found if str(self._clone) in line]

    # -- what the API says -------------------------------------------------------------------------------------

    def _verdict(self, station: str) -> str:
        return str(self._get(f"stations/{station}")["verdict"])

    def _get(self, path: str) -> Any:
        data = ".milepost-restored" if (self._clone / ".milepost-restored").exists() else ".milepost"
        token = (self._clone / data / "admin.token").read_text().strip()
        answer = httpx.get(f"{URL}/api/v1/{path}", headers={"Authorization": f"Bearer {token}"}, timeout=30)
        answer.raise_for_status()
        return answer.json()


def test_the_first_day(clone: Path, machines: Machines, capsys: pytest.CaptureFixture[str]) -> None:
    if CHROMIUM is None:
        pytest.skip("chromium is missing: apt-get install chromium")

    def follow() -> dict[str, float]:
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            reader = FirstDay(clone, machines, browser)
            try:
                reader.follow()
            finally:
                reader.close()
                browser.close()
        return reader.took

    took = run_on(machines.here, follow)
    with capsys.disabled():
        print("", *(f"{seconds:6.1f} s  {step}" for step, seconds in took.items()), sep="\n")
