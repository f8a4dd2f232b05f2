"""All dashboards and alert rules: `python -m grafana.files` writes their files."""

from pathlib import Path
from typing import Final

from grafana import alerts
from grafana.dashboard import LANGUAGES, Dashboard
from grafana.views import area_map, equipment, now, pipeline, response, spots, station, uptime, usage

DASHBOARDS: Final[tuple[Dashboard, ...]] = (
    now.DASHBOARD,
    area_map.DASHBOARD,
    station.DASHBOARD,
    spots.DASHBOARD,
    uptime.DASHBOARD,
    usage.DASHBOARD,
    equipment.DASHBOARD,
    response.DASHBOARD,
    pipeline.DASHBOARD,
)
FOLDER: Final = Path(__file__).with_name("dashboards")


def path_of(dashboard: Dashboard, language: str, folder: Path = FOLDER) -> Path:
    """The file of a dashboard in one language."""
    return folder / language / f"{dashboard.name}.json"


def write(folder: Path = FOLDER) -> None:
    """Write all files; remove those of dashboards that no longer exist."""
    wanted = {
        path_of(dashboard, language, folder): dashboard.render(language)
        for dashboard in DASHBOARDS
        for language in LANGUAGES
    }
    for old in folder.rglob("*.json"):
        if old not in wanted:
            old.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
    alerts.PATH.parent.mkdir(exist_ok=True)
    alerts.PATH.write_text(alerts.render(), encoding="utf-8")
