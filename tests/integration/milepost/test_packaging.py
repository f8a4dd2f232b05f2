"""The Dockerfile's steps, run by hand: what is in the wheel, and that it runs without the sources."""

import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import database_url
from tests.servers import clean_environ

ROOT = Path(__file__).resolve().parents[3]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
SHIPPED = (
    "api/read/queries.sql",
    "api/console/static/console.js",
    "api/console/templates/board.html",
    "alerting/health/default_rules.yaml",
    "alerting/liveness/queries.sql",
    "broker/acl",
    "broker/mosquitto.conf",
    "grafana/alerts.sql",
    "grafana/views/now.sql",
    "grafana/dashboards/en/overview.json",
    "grafana/dashboards/zh-CN/overview.json",
    "grafana/provisioning/alerting/milepost.json",
    "grafana/variables.sql",
    "grafana/provisioning/datasources/milepost.yaml",
    "ingest/queries.sql",
    "registry/queries.sql",
    "store/migrations/0001_registry.sql",
    "store/queries.sql",
)

HIDDEN = ("PYTHONPATH", "VIRTUAL_ENV")

pytestmark = pytest.mark.timeout(300)  # a first run downloads what constraints.txt pins


def build_steps(root: Path) -> list[str]:
    """The RUN lines of the build stage, with its folders under `root` instead of `/opt`."""
    stage = DOCKERFILE.split("\nFROM ")[1]
    return [
        line.removeprefix("RUN ").replace("/opt/", f"{root}/opt/") for line in stage.splitlines() if line[:4] == "RUN "
    ]


def copy_context(target: Path) -> None:
    """What .dockerignore lets in."""
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        name = line.removeprefix("!")
        if name == line or line.startswith("#"):
            continue
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, target / name)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that holds `opt` as the image would; made once."""
    root = tmp_path_factory.mktemp("image")
    (root / "src").mkdir()
    (root / "opt").mkdir()
    copy_context(root / "src")
    # The image's Python caches nothing; here a cache spares the network.
    for step in build_steps(root):
        done = subprocess.run(
            ["/bin/sh", "-ec", step.replace("--no-cache-dir ", "--quiet ")],
            cwd=root / "src",
            env=clean_environ(*HIDDEN, PIP_ROOT_USER_ACTION="ignore", PIP_DISABLE_PIP_VERSION_CHECK="1"),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{step}\n{done.stderr[-2000:]}"
    shutil.rmtree(root / "src")
    yield root
    shutil.rmtree(root, ignore_errors=True)


def milepost(image: Path, *argv: str, **environ: str) -> subprocess.CompletedProcess[str]:
    (command,) = re.findall(r'ENTRYPOINT \["(\w+)"\]', DOCKERFILE)
    return subprocess.run(
        [str(image / "opt/milepost/bin" / command), *argv],
        cwd=image,
        env=clean_environ(*HIDDEN, **environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_wheel_has_what_is_no_code_too(image: Path) -> None:
    (wheel,) = (image / "opt/dist").glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert set(SHIPPED) <= names
    sources = {p.relative_to(ROOT).as_posix() for p in ROOT.glob("*/**/*.sql")}
    assert {name for name in sources if not name.startswith((".", "tests/", "bench/"))} <= names
    assert not [name for name in names if name.startswith(("tests/", "bench/", "docs/")) or name.endswith(".pyc")]


def test_no_build_tools_are_left(image: Path) -> None:
    installed = {path.name for path in (image / "opt/milepost/bin").iterdir()}
    assert not installed & {"pip", "pip3", "hatchling"}


def test_the_command_line_is_there(image: Path) -> None:
    shown = milepost(image, "--help")
    assert shown.returncode == 0, shown.stderr
    assert "bridge" in shown.stdout


async def test_it_runs_from_the_wheel_alone(image: Path, database: str, postgres_server: str, tmp_path: Path) -> None:
    file = tmp_path / "database_url"
    file.write_text(database_url(postgres_server, database.rpartition("/")[2]))
    migrated = milepost(image, "migrate", MILEPOST_DATABASE_URL_FILE=str(file))
    assert (migrated.returncode, migrated.stdout) == (0, "the database is at the newest schema\n"), migrated.stderr


@pytest.mark.parametrize(
    "name",
    ["bridge", "ingest", "judge", "health", "incidents", "deliver", "audit", "watch", "api", "topics", "grafana"],
)
def test_every_service_finds_its_packages(image: Path, name: str) -> None:
    """Each gets as far as asking for a setting, having imported all it needs."""
    argv = ["grafana", "sync"] if name == "grafana" else [name]
    asked = milepost(image, *argv)
    assert asked.returncode == 2, asked.stderr
    assert "is not set" in asked.stderr
