"""What the board shows until a station is heard: the next steps, with commands to copy. Pure."""

from typing import Final

import msgspec

from api.read.schemas import VerdictCounts

STATION: Final = "6302220001"
"""A station of the example files."""


class Step(msgspec.Struct, frozen=True):
    """One of the steps, by the name of its texts; its commands run in the directory in which `milepost up` runs."""

    name: str
    commands: tuple[str, ...]
    done: bool = False


def first_steps(counts: VerdictCounts, url: str, language: str) -> list[Step]:
    """The three steps: register, report, look at alerts. None of them once a station was heard.

    `url`: under which the console is reached, for the example files in `language`.
    """
    if counts.total - counts.never_seen - counts.suspended > 0:
        return []
    examples = f"{url}/static/examples/{language}"
    return [
        Step(
            "import",
            (
                f"curl -O {examples}/areas.csv -O {examples}/stations.csv",
                "milepost import areas areas.csv",
                "milepost import stations stations.csv",
            ),
            done=counts.total > 0,
        ),
        Step("report", (f"milepost agent --station {STATION}",)),
        Step("alerts", ("tail -F .milepost/alerts.log",)),
    ]
