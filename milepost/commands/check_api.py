"""Asks the API of a running Milepost about the stations of a journal."""

import asyncio
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec

from agents.simulator.lives import History
from agents.simulator.seen import BlindIncident, ReportedPlatform, ReportedStation, StoredRecord, VerdictSpan
from contract.errors import RemedyError
from milepost import http

AT_ONCE: Final = 4
PATIENCE: Final = 30.0
_MARGIN: Final = 120_000
_AROUND: Final = 1_200_000
"""Milliseconds before and after the journal for which the states and openings of stations matter too."""

_HORIZON: Final = 399 * 86_400_000
_FAR: Final = 4_102_444_800_000


class _JournalApi:
    """The API of one server."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = url.rstrip("/"), token

    async def get(self, path: str, **parameters: str) -> Any:
        """One answer; while the server is busy the request is repeated for PATIENCE seconds. Raises RemedyError."""
        url = f"{self._url}/api/v1/{path}?{urlencode(parameters)}"
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE
        while True:
            answer = await http.get(url, token=self._token, seconds=10)
            if answer.status == 200:
                return msgspec.json.decode(answer.body)
            if answer.status not in (0, 503) or loop.time() > deadline:
                said = answer.body.decode(errors="replace")[:200]
                raise RemedyError(
                    f"{self._url} does not answer {path} ({answer.status}: {said}): correct --check or --token-file",
                    f"{self._url} 没有应答 {path}（{answer.status}：{said}）：请改正 --check 或 --token-file",
                )
            await asyncio.sleep(0.5)

    async def items(self, path: str, **parameters: str) -> list[Any]:
        """The items of all pages of a list."""
        found: list[Any] = []
        following: dict[str, str] = {}
        while True:
            page = await self.get(path, limit="1000", **parameters, **following)
            found += page["items"]
            if page["next"] is None:
                return found
            following = {"cursor": page["next"]}


async def stations(url: str, token: str, found: History) -> dict[str, ReportedStation]:
    """{station: the API's data on it} of all stations of the journal. Raises RemedyError when it does not answer."""
    api = _JournalApi(url, token)
    incidents = [one for kind in ("station_offline", "unusable") for one in await api.items("incidents", kind=kind)]
    letters = await api.items("deadletters") if found.garbage else []
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(station: str) -> tuple[str, ReportedStation]:
        async with gate:
            return station, await _station(api, station, found, incidents, letters)

    return dict(await asyncio.gather(*(one(station) for station in found.stations)))


async def platform(url: str, token: str, found: History) -> ReportedPlatform:
    """The API's data on Milepost itself. Raises RemedyError when it does not answer."""
    api = _JournalApi(url, token)
    blind = await api.items("incidents", kind="pipeline_blind")
    shards = (await api.get("pipeline"))["shards"]
    others = [one for one in await api.items("stations") if one["id"] not in found.lives]
    return ReportedPlatform(
        blind=[_blind(one) for one in blind],
        shards=len(shards),
        others=sum(one["last_seen"] is not None and _ms(one["last_seen"]) >= found.began - _AROUND for one in others),
    )


def _blind(incident: Any) -> BlindIncident:
    over, detail = incident["ended_at"] or incident["closed_at"], incident["detail"]
    return BlindIncident(
        began=_ms(incident["began_at"]),
        ended=None if over is None else _ms(over),
        causes=detail.get("causes", ()),
        reasons=detail.get("reasons", ()),
    )


async def _station(
    api: _JournalApi, station: str, found: History, incidents: list[Any], letters: list[Any]
) -> ReportedStation:
    window = {"from": _iso(found.began - _AROUND), "to": _iso(found.ended)}
    around = {"from": _iso(found.began - _AROUND), "to": _iso(found.ended + _AROUND)}
    timeline = await api.get(f"stations/{quote(station)}/timeline", **window)
    # Samples may be old and clocks of devices wrong, but no stored time lies further back.
    all_ = {"from": _iso(found.ended - _HORIZON), "to": _iso(found.ended + _MARGIN)}
    health = await api.items(f"stations/{quote(station)}/health", **all_)
    schedule = await api.get(f"stations/{quote(station)}/schedule", **around)
    own = [one for one in incidents if one["station"] == station]
    return ReportedStation(
        timeline=[
            VerdictSpan(begin=_ms(one["from"]), end=_ms(one["to"]), verdict=one["verdict"])
            for one in timeline["intervals"]
        ],
        health=[StoredRecord(one["terminal"], one["box"], one["id"]) for one in health],
        incidents=[_ms(one["began_at"]) for one in own if one["kind"] == "station_offline"],
        unusable=[_lasted(one) for one in own if one["kind"] == "unusable"],
        openings=None if schedule["always"] else [_span(one) for one in schedule["openings"]],
        closures=[_span(one) for one in schedule["closures"]],
        deadletters=sum(one["station"] == station for one in letters) if found.garbage else None,
    )


def _lasted(incident: Any) -> tuple[int, int]:
    return _ms(incident["began_at"]), _ms(incident["ended_at"]) if incident["ended_at"] else _FAR


def _span(part: Any) -> tuple[int, int]:
    return _ms(part["from"]), _ms(part["to"])


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat()


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)
