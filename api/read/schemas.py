"""The documents that the API answers with. Times are UTC; the words are those of docs/architecture.md."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, computed_field

from alerting.stations.verdict import Verdict

T = TypeVar("T")
IncidentStatus = Literal["open", "acknowledged", "closed"]
_Remark = Annotated[str | None, Field(description="on whose behalf the account acted, as the client said")]


class Document(BaseModel):
    """A part of an answer; it never changes."""

    model_config = ConfigDict(frozen=True)


class Listing(Document, Generic[T]):
    """A page of a list, newest first unless the path says otherwise."""

    items: list[T]
    next: str | None = Field(description="`cursor` of the next page; null on the last")


class TerminalDocument(Document):
    """A device at a station. Its state is unknown while its pipeline clock cannot be trusted."""

    id: str
    type: str | None
    counts: bool = Field(description="whether it makes the station online")
    state: str = Field(description="never_seen, online, away, offline, conflicting or unknown")
    since: datetime | None
    last_seen: datetime | None
    usable: bool | None
    users: int | None
    every: float | None = Field(description="seconds until the next heartbeat, as it promised")
    deadline: datetime | None
    installed_at: datetime | None
    refresh_due: date | None


class StationDocument(Document):
    """A service point. `deadline`: when it stops being online or away unless more is heard; moves with the pipeline
    clock. `usable` is null while the verdict is none of online, unusable, away, offline, and where no terminal says."""

    id: str
    name: str
    area: str | None
    verdict: Verdict
    since: datetime | None = Field(description="when the verdict began, if that is known")
    last_seen: datetime | None
    usable: bool | None
    deadline: datetime | None
    lifecycle: Literal["planned", "commissioned", "suspended", "retired"]
    terminals: list[TerminalDocument]
    open: bool = Field(description="within its opening hours")
    opens_at: datetime | None = Field(description="when it opens next, while it is not open")
    closes_at: datetime | None = Field(description="when it closes next, while it is open; null for 24x7")
    closure: int | None = Field(description="the closure that is in force, approved or not")
    flapping: bool = Field(description="it comes and goes: there is an incident about that")
    unknown_because: str | None = Field(
        default=None,
        description="of the verdict unknown: clock_missing, clock_stale or clock_blind (the pipeline), state_unknown "
        "(its silence proves nothing yet), set_aside (it cannot be judged: see `set_aside` of `/pipeline`)",
    )


class Removed(Document):
    """What became of a station: removed (nothing was on record of it), or retired (what is on record stays)."""

    id: str
    outcome: Literal["removed", "retired"]


class EndedLinks(Document):
    """A contact whose links were ended, and how many of them were good until then."""

    id: str
    ended: int


class Restored(Document):
    """A station whose retirement was taken back, and the lifecycle that it has again."""

    id: str
    lifecycle: str = Field(description="planned, commissioned or suspended")


class Interval(Document):
    """Part of a station's history; `revision` rises when presence that arrived late says more about it."""

    begin: datetime = Field(serialization_alias="from")
    end: datetime = Field(serialization_alias="to")
    verdict: Verdict
    usable: bool | None
    evidence: Literal["live", "presence", "none"]
    revision: int


class Opening(Document):
    """Opening hours of a day, with exact times."""

    begin: datetime = Field(serialization_alias="from")
    end: datetime = Field(serialization_alias="to")


class ScheduleVersion(Document):
    """A schedule that holds from a local day on (null: from always) until the next one."""

    valid_from: date | None
    rules: str
    timezone: str


class StationClosure(Document):
    """A closure as far as it concerns a station; only an approved one excuses."""

    id: int
    kind: str
    begin: datetime = Field(serialization_alias="from")
    end: datetime = Field(serialization_alias="to")
    reason: str
    approved: bool


ClosureStatus = Literal["declared", "approved", "withdrawn"]


class ClosureDocument(Document):
    """A declared interval of one station, an area with all below it, or a programme. Declared it silences alerts,
    approved it excuses; one that was withdrawn ended then."""

    model_config = ConfigDict(title="Closure")

    id: int
    kind: Literal["closure", "maintenance"]
    station: str | None
    area: str | None
    programme: str | None
    begin: datetime = Field(serialization_alias="from")
    until: datetime
    reason: str
    status: ClosureStatus
    declared_by: str = Field(description="the account; free text in closures from before accounts")
    declared_remark: _Remark = None
    declared_at: datetime
    approved_by: str | None
    approved_remark: _Remark = None
    approved_at: datetime | None
    evidence: str | None
    withdrawn_by: str | None
    withdrawn_remark: _Remark = None
    withdrawn_at: datetime | None


SilenceStatus = Literal["current", "planned", "over"]


class SilenceDocument(Document):
    """An interval in which nobody is told of incidents of one station, of an area with all below it, or of everything
    (neither). Incidents begin and are shown as always; who was told is told of the recovery."""

    model_config = ConfigDict(title="Silence")

    id: int
    station: str | None
    area: str | None
    kinds: list[str] = Field(description="kinds of incidents; empty: every kind")
    begin: datetime = Field(serialization_alias="from")
    until: datetime = Field(description="as it was made")
    reason: str
    status: SilenceStatus
    made_by: str = Field(description="the account")
    made_at: datetime
    ended_at: datetime | None = Field(description="when a person ended it early")
    ended_by: str | None


class ChannelDocument(Document):
    """A way to a contact. `fingerprint` stands for its address, which is secret."""

    kind: Literal["wecom", "dingtalk", "feishu", "sms", "mail", "webhook", "apprise"]
    fingerprint: str


class ContactDocument(Document):
    """A person, or a room (a group's bot), that gets messages. `area`: null is the whole platform."""

    model_config = ConfigDict(title="Contact")

    id: str
    name: str
    role: str = Field(description="the word of duty and routes")
    area: str | None
    language: Literal["zh-CN", "en"]
    room: bool
    quiet: str | None = Field(description="opening rules of times in which only critical incidents are sent at once")
    account: str | None = Field(description="the account of a person")
    channels: list[ChannelDocument] = Field(description="in the order in which they are tried")
    retired_at: datetime | None = Field(description="since when the contact is told of nothing")
    muted: bool = Field(description="only because its account is disabled")


class Schedule(Document):
    """When a station should be open; `always`: it has no schedule."""

    always: bool
    versions: list[ScheduleVersion]
    openings: list[Opening]
    closures: list[StationClosure]
    provisional: list[date]


class Timeline(Document):
    """Intervals without gaps or overlaps, oldest first."""

    intervals: list[Interval]


class HealthSample(Document):
    """Fractions 0..1, °C, milliseconds, bytes since boot; `ts` is the corrected time, null fields were not sent."""

    ts: datetime
    terminal: str
    box: str
    id: int
    received_at: datetime
    time_source: str
    up: float | None
    cpu: float | None
    mem: float | None
    disk: float | None
    temp: float | None
    rtt_ms: float | None
    rx: int | None
    tx: int | None
    wifi: bool | None
    services: dict[str, bool] | None


class UsageItem(Document):
    """Sessions and minutes of use that a terminal reported."""

    begin: datetime = Field(serialization_alias="from")
    until: datetime | None
    sessions: int | None
    minutes: float | None
    terminal: str


class UsageTotal(Document):
    """Sessions and minutes of the whole window."""

    sessions: int
    minutes: float


class UsageListing(Listing[UsageItem]):
    """`total` is of the whole window, not of the page."""

    total: UsageTotal


class FiguresUnit(StrEnum):
    """The time that figures of records are of, in UTC."""

    HOUR = "hour"
    DAY = "day"


class Measured(Document):
    """A measured value over an hour or a day; null: no record had it."""

    mean: float | None
    max: float | None


class HealthFigures(Document):
    """Health of a terminal in an hour or a day; `samples`: number of records with a sure time."""

    begin: datetime = Field(serialization_alias="from")
    terminal: str
    samples: int
    cpu: Measured
    mem: Measured
    disk: Measured
    temp: Measured
    rtt_ms: Measured


class UsageFigures(Document):
    """Use of a terminal in an hour or a day; records count where they began. Null: no record had the value."""

    begin: datetime = Field(serialization_alias="from")
    terminal: str
    samples: int
    sessions: int | None
    minutes: float | None


class RecordFigures(Document, Generic[T]):
    """Figures of a station's records, oldest first; an hour or a day without records is left out."""

    unit: FiguresUnit
    items: list[T]


class VerdictCounts(Document):
    """Stations by verdict; retired ones count nowhere."""

    total: int = 0
    online: int = 0
    unusable: int = 0
    offline: int = 0
    away: int = 0
    closed: int = 0
    excused: int = 0
    unknown: int = 0
    never_seen: int = 0
    suspended: int = 0


class BlindSpot(Document):
    """An open incident of kind blind_spot."""

    id: int
    kind: str = Field(description="which kind of blind spot, where the incident says")
    area: str | None
    station: str | None
    since: datetime
    clears: str | None = Field(description="what would clear it, as a word")
    status: IncidentStatus
    detail: dict[str, Any]


class AreaChild(Document):
    """A part of an area; the counts are of its whole subtree."""

    code: str
    name: str
    name_en: str | None
    name_bo: str | None
    level: str
    counts: VerdictCounts


class AreaDocument(Document):
    """A node of the division tree; counts and blind spots are of its whole subtree."""

    code: str
    name: str
    name_en: str | None
    name_bo: str | None
    level: str
    parent: str | None
    counts: VerdictCounts
    blind_spots: list[BlindSpot]
    children: list[AreaChild]


class Cause(Document):
    """What stations that fell together share: an area, uplink, feeder, agent version or shard, and which."""

    kind: str
    name: str


class ShareDocument(Document):
    """What a county has of an incident with children: its own stations that were down by it, and those that still are;
    terminals for a health rule, areas for a blind spot."""

    area: str | None = Field(description="the county, or the area of stations that lie in no county; null: several")
    children: int
    down: int
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    acknowledged_remark: _Remark = None
    eta_at: datetime | None = Field(default=None, description="until when the acknowledgement counts")
    assignee: str | None = Field(default=None, description="the person to whom the share was handed over")


class IncidentDocument(Document):
    """One thing that is wrong, with one owner. `children`: the first 1000 of those of which it is the common cause."""

    id: int
    kind: str
    station: str | None
    area: str | None
    shard: str | None
    status: IncidentStatus
    began_at: datetime
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None = Field(description="the account; free text in incidents from before accounts")
    acknowledged_remark: _Remark = None
    eta_at: datetime | None = Field(
        default=None, description="until then nobody else is told of an acknowledged incident; of a share: null"
    )
    assignee: str | None
    closed_at: datetime | None
    ended_at: datetime | None
    reopen_at: datetime | None = Field(
        default=None,
        description="closed by hand, or excused, while the fault goes on: when it opens again unless that is over",
    )
    parent: int | None
    children: list[int]
    detail: dict[str, Any]
    share: ShareDocument | None = Field(
        default=None,
        description="of an incident that reaches beyond the reader's scope: what lies within the scope. Status, "
        "acknowledgement, children, detail and entries are then those of the share. null: the scope holds the whole",
    )

    @computed_field  # type: ignore[prop-decorator]  # as pydantic has it
    @property
    def cause(self) -> Cause | None:
        """What its children have in common."""
        kind, name = self.detail.get("cause"), self.detail.get("name")
        return Cause(kind=kind, name=name) if isinstance(kind, str) and isinstance(name, str) else None


class IncidentEntry(Document):
    """What happened to an incident, and who did it."""

    id: int
    at: datetime
    actor: str = Field(description="the account, or milepost; free text in entries from before accounts")
    remark: _Remark = None
    action: str
    text: str | None
    share: str | None = Field(default=None, description="the county whose share it is about; null: the whole incident")


class IncidentDetail(IncidentDocument):
    """With what happened to it and who did it, newest first (the last 1000), and with its shares in the reader's scope,
    those with most down first."""

    entries: list[IncidentEntry]
    shares: list[ShareDocument]


class GapDocument(Document):
    """A time in which a pipeline clock did not count."""

    begin: datetime = Field(serialization_alias="from")
    end: datetime = Field(serialization_alias="to")
    reason: str


class PartitionClock(Document):
    """`clock` in pipeline seconds; `lag_s`: how far behind the wall clock the judge is."""

    partition: int
    clock: float
    tick_at: datetime
    judged_at: datetime
    lag_s: float
    blind_since: datetime | None
    sound: bool
    gaps: list[GapDocument]


class SuspicionDocument(Document):
    """Nearly all stations of a shard fell together: `fell` of the `counted` that should have gone on. Of them `unknown`
    are silent still."""

    began_at: datetime
    opened_at: datetime
    fell: int
    counted: int
    unknown: int


class ShardDocument(Document):
    """One MQTT broker. It is sound when all its partitions are; the figures are those of the worst.

    `misnumbering`: stations that number their messages wrongly, of many the first; what they miss is not counted.
    """

    shard: str
    sound: bool
    clock: float
    lag_s: float
    blind_since: datetime | None
    suspicion: SuspicionDocument | None
    misnumbering: list[str]
    unstable: bool = Field(description="gaps recur: an incident says so until ten minutes have passed without one")
    gaps_10m: int = Field(description="gaps of the last ten minutes, all partitions together, however short")
    unknown_10m_s: float = Field(description="the seconds that they took")
    partitions: list[PartitionClock]


class Trusted(Document):
    """A person's decision that a suspected shard is sound."""

    shard: str
    decided_at: datetime
    by: str = Field(description="the account")
    remark: _Remark = None


class NewSigninLink(Document):
    """A link that signs one browser in, once, until then."""

    link: str
    until: datetime


class Consumer(Document):
    """`lag`: entries up to `end_offset`, where the partition ended at `end_at`; null when the end was not looked up."""

    consumer: str
    topic: str
    partition: int
    next_offset: int
    instance: str
    updated_at: datetime
    end_offset: int | None
    end_at: datetime | None
    lag: int | None


class Service(Document):
    """A process by its newest sign of life. `role`: working, leading or standby."""

    service: str
    instance: str
    role: str
    at: datetime
    age_s: float
    alive: bool
    detail: dict[str, Any]


class SetAside(Document):
    """What a service cannot judge and goes on without; `kind`: station, closure, calendar, terminal, entry, part …"""

    service: str
    kind: str
    subject: str
    why: str
    since: datetime


class AnnouncedRestart(Document):
    """A restart of the platform. Interruptions during it cause no notification; their time is unknown all the same."""

    begin: datetime = Field(serialization_alias="from")
    until: datetime
    by: str = Field(description="the account; free text in restarts from before accounts")
    remark: _Remark = None
    reason: str


class Pipeline(Document):
    """`sound` is false when a clock cannot be trusted, and when there is none yet. `set_aside`: at most 1000."""

    sound: bool
    now: datetime
    shards: list[ShardDocument]
    consumers: list[Consumer]
    services: list[Service]
    set_aside: list[SetAside]
    restarts: list[AnnouncedRestart] = Field(description="those that were announced lately, the newest first")


class Deadletter(Document):
    """A refused message. `refused` counts its refused records, 0 when all of it was refused."""

    id: int
    at: datetime
    topic: str
    station: str | None
    reason: str
    detail: str
    excerpt: str
    size: int
    refused: int
    shard: str


class Unregistered(Document):
    """A station that was heard but is not registered; its records are stored, it is not judged."""

    station: str
    terminals: list[str]
    first_seen_at: datetime
    last_seen_at: datetime
    messages: int


class Readiness(Document):
    """Whether all works from a terminal's message to this answer, and if not what is missing, in sentences."""

    ready: bool
    missing: list[str]
    warnings: list[str] = Field(description="what works and will not do so for long, in sentences")
