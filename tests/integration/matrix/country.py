"""A province with two prefectures. The county NEAR in the first one is in the scope; everything of FAR is marked."""

import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from audit.assessments.kept import make_assessment
from audit.assessments.measured import AssessmentInputs, MeasuredPlace
from audit.assessments.rules_yaml import default_rules
from audit.assessments.store import keep_assessment
from contract.glossary import WORDS
from store.author import Author
from store.ledger import LedgerEntry, append_entries
from store.ledger_kinds import LedgerKind
from store.pool import Pool
from tests.integration.api_world import World
from tests.integration.audit.ledger_world import config as ledger_config
from tests.integration.audit.ledger_world import seal_all
from tests.integration.duty_kit import add_contact, add_duty, add_route, add_substitute

PROVINCE, NEAR_CITY, NEAR, NEAR_TOWN = "630000000000", "630200000000", "630222000000", "630222101000"
BESIDE, FAR_CITY, FAR = "630223000000", "632500000000", "632521000000"
UNKNOWN_AREA: Final = "999999000000"
FAR_NUMBER: Final = 7_700_000_000
"""Incidents and closures outside have numbers from here on."""
FAR_ENTRY: Final = 8_600_000_000
"""Entries of the ledger outside have ids from here on, which every scope may know."""
FAR_COUNT: Final = 407_174_071
"""How many stations the wider outage has, by its detail."""
MARKS: Final = (
    FAR_CITY,
    FAR,
    BESIDE,
    "6325210",
    "6302230",
    "龙羊峡",
    "longyangxia",
    "fartoken",
    "besidetoken",
    str(FAR_NUMBER)[:7],
    str(FAR_COUNT),
)
"""What no answer within the scope NEAR may hold, in any case of letters."""
MARK_PATTERN: Final = "|".join(
    f"(?<![0-9.])(?<![0-9a-f]{{3}}[a-f]){mark}" if mark.isdecimal() else mark for mark in MARKS
)
"""Finds the marks, in Python and in PostgreSQL; not within a decimal number, nor after four hexadecimal digits, because
a sum of seconds or a random key may have the digits of a mark."""
CONTACTS: Final = {"near": "near-li-ming", "far": "longyangxia1", "beside": "longyangxia2"}
"""By place; of the same lengths."""
PHOTOS: Final = {
    "near": "6302220a-0000-4000-8000-000000000001",
    "far": f"{FAR_NUMBER:08.0f}"[:8] + "-0000-4000-8000-000000000001",
    "beside": f"{FAR_NUMBER:08.0f}"[:8] + "-0000-4000-8000-000000000002",
}
"""By place: of an incident; those of a closure and a finding have an `a` and a `b` before the last digit."""
FAR_RETIRED: Final = "6325210005"
JPEG: Final = b"\xff\xd8\xff\xe0"
_SPACE: Final = 60.0


async def add_finding(pool: Pool, station: str, text: str = "r") -> int:
    """An auditor's finding about a day of a station, not answered."""
    made: int = await pool.fetchval(
        "INSERT INTO finding (kind, station, from_at, until_at, text, made_by, made_at) "
        "VALUES ('finding', $1, '2026-01-01', '2026-01-02', $2, 'operator', now()) RETURNING id", station, text,
    )  # fmt: skip
    return made


async def add_correction(pool: Pool, station: str, text: str = "r") -> int:
    """A proposed correction of a day of a station."""
    made: int = await pool.fetchval(
        "INSERT INTO correction (station, from_at, until_at, counts_as, reason, proposed_by, proposed_at) "
        "VALUES ($1, '2026-01-01', '2026-01-02', 'up', $2, 'operator', now()) RETURNING id", station, text,
    )  # fmt: skip
    return made


async def add_assessment(pool: Pool, area: str, name: str) -> int:
    """An assessment of an area with one station, of a month before days were kept."""
    measured = MeasuredPlace(level="station", id=f"{area[:6]}0001", name=name)
    inputs = AssessmentInputs(
        area=area,
        period="2026-01",
        first=date(2026, 1, 1),
        last=date(2026, 1, 31),
        frozen=True,
        whole=MeasuredPlace(level="county", id=area, name=name),
        places=(measured,),
        before_period="2025-12",
    )
    async with pool.acquire() as connection:
        new = make_assessment(inputs, default_rules())
        made = await keep_assessment(connection, new, None, Author("operator"), datetime.now(UTC))
    return made.summary.id


class Country:
    """Numbers of the rows. `far`: whether there is anything outside NEAR but its ancestors."""

    def __init__(self, pool: Pool, now: datetime, *, far: bool) -> None:
        self.world, self.pool, self.far = World(pool), pool, far
        self.world.now = now
        self.wide = 0
        self.incidents: dict[str, list[int]] = {}
        self.closures: dict[str, list[int]] = {}
        self.silences: dict[str, list[int]] = {}
        self.findings: dict[str, int] = {}
        self.corrections: dict[str, int] = {}
        self.assessments: dict[str, int] = {}
        self.duties: dict[str, int] = {}
        self.substitutes: dict[str, int] = {}
        self.entries: dict[str, int] = {}

    async def build(self) -> "Country":
        """Write everything, what is near first, so that its numbers do not depend on what is far."""
        await self._land()
        await self._place("near", NEAR, "630222", "河湟")
        await self.world.station("6302220009", None, area=NEAR_TOWN, name="河湟镇站")
        members = ["6302220004", *(["6325210004", "6302230004"] if self.far else [])]
        if self.far:
            await self._number_from(FAR_NUMBER)
            await self.pool.execute(f"ALTER TABLE ledger_entry ALTER COLUMN id RESTART WITH {FAR_ENTRY}")
            await self._place("far", FAR, "632521", "龙羊峡 Longyangxia")
            await self._place("beside", BESIDE, "630223", "龙羊峡 Longyangxia")
            await self._beyond()
            await self._number_from(5000)
        await self.world.suspicion(*members, began=300, fell=FAR_COUNT, counted=FAR_COUNT)
        await self._seal()
        return self

    async def _seal(self) -> None:
        """Seal the ledger; the judge numbers transitions without gaps."""
        await self.pool.execute(
            "UPDATE transition t SET seq = -n.number FROM (SELECT partition, seq, row_number() "
            "OVER (PARTITION BY partition ORDER BY seq) AS number FROM transition) AS n "
            "WHERE (t.partition, t.seq) = (n.partition, n.seq)"
        )
        await self.pool.execute("UPDATE transition SET seq = -seq")
        with tempfile.TemporaryDirectory() as folder:
            await seal_all(self.pool, ledger_config("", Path(folder)))

    async def _number_from(self, number: int) -> None:
        for table in (
            "incident",
            "closure",
            "finding",
            "correction",
            "assessment",
            "silence",
            "duty",
            "duty_substitute",
            "dead_letter",
        ):
            await self.pool.execute(f"ALTER TABLE {table} ALTER COLUMN id RESTART WITH {number}")

    async def _land(self) -> None:
        world = self.world
        await world.clock()
        await world.area(PROVINCE, "青海省", level="province")
        await world.area(NEAR_CITY, "海东市", PROVINCE, level="prefecture")
        await world.area(NEAR, "河湟县", PROVINCE, NEAR_CITY)
        await world.area(NEAR_TOWN, "河湟镇", PROVINCE, NEAR_CITY, NEAR, level="township")
        if self.far:
            await world.area(BESIDE, "龙羊峡旁县", PROVINCE, NEAR_CITY)
            await world.area(FAR_CITY, "龙羊峡州", PROVINCE, level="prefecture")
            await world.area(FAR, "龙羊峡县", PROVINCE, FAR_CITY)
            await self.pool.execute("UPDATE area SET name_en = 'Longyangxia' WHERE name LIKE '%龙羊峡%'")
        await self.pool.execute(
            "INSERT INTO day_state (cut, first_day, last_day) VALUES (0, '2026-11-01', '2026-11-30')"
        )
        await self.pool.execute("INSERT INTO programme (id, name) VALUES ('border', '边疆万里')")
        self.wide = await world.incident("area_outage", area=PROVINCE, detail={
            "cause": "area", "name": PROVINCE, "stations": FAR_COUNT, "expected": FAR_COUNT, "children": FAR_COUNT,
        })  # fmt: skip

    async def _place(self, name: str, area: str, prefix: str, word: str) -> None:
        """A county with a row of everything. `word` is in all its texts."""
        world, pool = self.world, self.pool
        stations = [f"{prefix}000{n}" for n in range(1, 6)]
        for n, (station, state) in enumerate(
            zip(stations, ("online", "offline", "away", "unproven", None), strict=True)
        ):
            await world.station(station, state, area=area, name=f"{word}站{n}", since=4000 - n, seen=4100)
            await pool.execute(
                "UPDATE station SET address = $2, lat = 36 + $3 * 0.1, lon = 102, isp = 'telecom', feeder = $2 "
                "WHERE id = $1",
                station, f"{word}街", float(n),
            )  # fmt: skip
        await pool.execute(
            "INSERT INTO station_programme (station, programme) SELECT id, 'border' FROM station WHERE area = $1", area
        )
        await self._records(stations[1], word)
        self.incidents[name] = await self._incidents(area, stations[1], stations[0], word)
        self.closures[name] = await self._closures(area, stations[2], word)
        self.silences[name] = [
            await self.world.silence(reason=f"{word} 换设备", **scope)
            for scope in ({"station": stations[2]}, {"area": area})
        ]
        self.findings[name] = await add_finding(pool, stations[1], f"{word} 离线")
        await self._photos(name, word)
        self.corrections[name] = await add_correction(pool, stations[1], f"{word} 停电")
        self.assessments[name] = await add_assessment(pool, area, word)
        await self._duty(name, area)
        await self._share(name, area, stations[3], word)
        await self._people(name, area, word)
        self.entries[name] = await self._entry(stations[1], word)

    async def _entry(self, station: str, word: str) -> int:
        """An entry of the ledger about a station."""
        entry = LedgerEntry(
            kind=LedgerKind.STATION_RETIRED, subject=f"station/{station}", actor="operator", body={"before": word}
        )
        async with self.pool.acquire() as connection, connection.transaction():
            await append_entries(connection, [entry])
        return int(await self.pool.fetchval("SELECT max(id) FROM ledger_entry WHERE subject = $1", entry.subject))

    async def _records(self, station: str, word: str) -> None:
        world = self.world
        await world.transition(station, 90_000, "online", before="never_seen")
        await world.transition(station, 4000, "offline")
        await world.record("presence", station, 3000, 2, until=world.ago(2000), usable=True)
        await world.record("usage", station, 1, 1, sessions=3, minutes=45.0)
        await world.record("health", station, 60, 1, cpu=0.25, mem=0.5, disk=0.93, services={f"{word}-kds": False})
        await self.pool.execute(
            "INSERT INTO dead_letter (source, at, topic, station, reason, detail, excerpt, size, refused, shard) "
            "VALUES ($1, $2, $3, $1, 'bad_json', $4, $4, 9, 1, 'main')",
            station, world.ago(30), f"mp/1/{station}/001/hb", word,
        )  # fmt: skip

    async def _incidents(self, area: str, station: str, other: str, word: str) -> list[int]:
        """One of every kind and status; those of areas too, with entries that people wrote."""
        made = []
        for n, kind in enumerate(WORDS["kind"]):
            if kind == "pipeline_blind":
                continue
            place: dict[str, Any] = {"area": area} if kind in ("area_outage", "blind_spot") else {"station": station}
            detail = {"reason": "two_boots", "kind": "dark", "clears": "heartbeat", "rule": "hot", "name": word,
                      "cause": "feeder", "with": [f"{other}/002"], "announced_by": word}  # fmt: skip
            status = list(WORDS["status"])[n % 3]
            made.append(await self.world.incident(kind, status=status, detail=detail, began=_SPACE * n + 90, **place))
            await self.pool.execute(
                "INSERT INTO incident_entry (incident, actor, action, text) VALUES ($1, 'operator', 'note', $2)",
                made[-1], f"{word} 备注",
            )  # fmt: skip
        await self.pool.execute("UPDATE incident SET area = $2 WHERE station = $1", station, area)
        return made

    async def _closures(self, area: str, station: str, word: str) -> list[int]:
        """Of the station and the area, declared and approved."""
        made = [
            await self.world.closure(-1, 2, approved=approved, **scope)
            for approved in (False, True)
            for scope in ({"station": station}, {"area": area})
        ]
        await self.pool.execute(
            "UPDATE closure SET reason = $2, declared_by = 'operator', approved_by = CASE WHEN approved_at IS NOT NULL "
            "THEN 'admin' END, evidence = $2 WHERE id = ANY ($1)", made, f"{word} 装修",
        )  # fmt: skip
        return made

    async def _photos(self, name: str, word: str) -> None:
        """One of an incident, one of a closure, one of a finding."""
        photo = PHOTOS[name]
        await self.pool.executemany(
            "INSERT INTO photo (id, incident, closure, finding, sha256, jpeg, width, height, made_by, made_remark, "
            "made_at) VALUES ($1, $2, $3, $4, sha256($5::bytea), $5, 1, 1, 'operator', $6, $7)",
            [
                (photo, self.incidents[name][0], None, None, JPEG, word, self.world.now),
                (f"{photo[:-2]}a{photo[-1]}", None, self.closures[name][0], None, JPEG, word, self.world.now),
                (f"{photo[:-2]}b{photo[-1]}", None, None, self.findings[name], JPEG, word, self.world.now),
            ],
        )

    async def _duty(self, name: str, area: str) -> None:
        """Two contacts, a duty of one of them, for whom the other stands in."""
        one, other = CONTACTS[name], f"{CONTACTS[name]}-b"
        for contact in (one, other):
            await add_contact(self.pool, contact, area)
        await add_route(self.pool, {"near": "near-r", "far": "longyangxia-r", "beside": "longyangxia-b"}[name], area)
        self.duties[name] = await add_duty(self.pool, one, area)
        self.substitutes[name] = await add_substitute(self.pool, one, other, self.world.now)

    async def _share(self, name: str, area: str, station: str, word: str) -> None:
        """A child of the wider outage, its share, and what a person of the county said of it."""
        child = await self.world.incident("station_offline", station=station, parent=self.wide)
        await self.pool.execute("UPDATE incident SET area = $2 WHERE id = $1", child, area)
        self.incidents[f"{name} child"] = [child]
        await self.pool.execute(
            "INSERT INTO incident_share (incident, area, children, down) VALUES ($1, $2, 1, 1)", self.wide, area
        )
        await self.pool.execute(
            "INSERT INTO incident_entry (incident, actor, action, text, share) "
            "VALUES ($1, $2, 'note', $3, $4)",
            self.wide, f"{word}-person", f"{word} 已派人", area,
        )  # fmt: skip

    async def _people(self, name: str, area: str, word: str) -> None:
        login = word.replace(" ", "")
        for suffix, off in (("", False), ("-off", True)):
            account = f"{'a-' if name == 'near' else 'longyangxia-'}{name}{suffix}"
            await self.pool.execute(
                "INSERT INTO account (id, login, name, role, whole, created_by, disabled_at, disabled_by) VALUES "
                "($1, $2, $3, 'technician', false, 'operator', CASE WHEN $4 THEN now() END, "
                "CASE WHEN $4 THEN 'operator' END)", account, f"{login}{name}{suffix}", f"{word}人{suffix}", off,
            )  # fmt: skip
            await self.pool.execute("INSERT INTO account_area VALUES ($1, $2)", account, area)
            await self.pool.execute(
                "INSERT INTO api_token (id, key, account, name, role, whole, areas, created_by, expires_at) "
                "VALUES ($1, sha256($2::bytea), $3, $4, 'technician', false, $5, 'operator', now() + interval '9 d')",
                f"{name}token{suffix.strip('-')}"[:16], account.encode(), account, f"{word} 令牌", [area],
            )  # fmt: skip

    async def _beyond(self) -> None:
        """What belongs to no county in the scope: stations nowhere, unregistered ones, targets, a programme."""
        world, pool = self.world, self.pool
        await world.station("6325210099", "offline", area=None, name="龙羊峡无区划站")
        await pool.execute("INSERT INTO programme (id, name) VALUES ('longyangxia', '龙羊峡工程')")
        await pool.execute("INSERT INTO station_programme VALUES ('6325210001', 'longyangxia')")
        await world.closure(-1, 2, approved=False, programme="longyangxia")
        await pool.execute(
            "INSERT INTO unregistered (station, terminals, first_seen_at, last_seen_at, messages) "
            "VALUES ('6325210077', '{001}', $1, $1, 4)", world.ago(50),
        )  # fmt: skip
        await pool.execute(
            "INSERT INTO target (id, programme, name, metric, areas, threshold) "
            "VALUES ('far', 'longyangxia', '龙羊峡目标', 'online_rate', $1, 0.9)", [FAR],
        )  # fmt: skip
        await pool.execute("UPDATE station SET lifecycle = 'retired' WHERE id = $1", FAR_RETIRED)
        for kind, subject in (("station", "6325210002"), ("terminal", "6325210002/001")):
            await pool.execute(
                "INSERT INTO set_aside (service, kind, subject, why) VALUES ('incidents', $1, $2, '龙羊峡')",
                kind,
                subject,
            )


def fixed_now() -> datetime:
    """The same moment for countries that are compared."""
    return datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=1)
