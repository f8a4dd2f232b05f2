"""The outside check as timetables: who is accused, when, and when people hear that it is over."""

from datetime import UTC, datetime

import pytest

from alerting.delivery.fields import fields_of
from alerting.delivery.short import MOST_UNITS, units
from alerting.selfcheck.rules import (
    API,
    DATABASE,
    KAFKA,
    REQUIRED,
    STEADY,
    CheckNotice,
    CheckRound,
    Pace,
    Position,
    SelfCheck,
)
from alerting.selfcheck.texts import write_notice

LIMIT, ROUND = 60.0, 5.0
NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
WELL = dict.fromkeys((*REQUIRED, "health"), 3.0)


class Story:
    """A watch that looks every ROUND; `signs` age unless they are given."""

    def __init__(self) -> None:
        self.watch = SelfCheck(Pace(limit=LIMIT, every=ROUND), began=0.0)
        self.now = 0.0
        self.told: list[tuple[float, CheckNotice]] = []

    def go(self, seconds: float, **look: object) -> "Story":
        """Look for so long. `dead`: services without signs from now on; the rest as in Look."""
        dead = look.pop("dead", ())
        began, found = self.now, {"signs": WELL, **look}
        while self.now < began + seconds:
            self.now += ROUND
            signs = found["signs"]
            if isinstance(signs, dict):
                found["signs"] = {**signs, **dict.fromkeys(dead, self.now - began + 3)}  # type: ignore[attr-defined]
            self.told += [
                (self.now, told) for told in self.watch.judge_round(CheckRound(began=self.now, **found), self.now)
            ]  # type: ignore[arg-type]
        return self

    @property
    def words(self) -> list[tuple[str, list[tuple[str, str]]]]:
        return [(told.phase, [(t.part, t.why) for t in told.parts]) for _, told in self.told]


@pytest.fixture
def story() -> Story:
    return Story().go(120)


def test_nobody_is_accused_while_all_starts() -> None:
    quiet = Story().go(LIMIT - ROUND, signs={}, unreachable=frozenset())
    assert quiet.told == []
    assert quiet.go(2 * ROUND).told == []


def test_a_service_that_never_came_is_missed() -> None:
    told = Story().go(LIMIT + ROUND, signs={name: 3.0 for name in REQUIRED if name != "judge"})
    assert told.words == [("opened", [("judge", "no_sign")])]


@pytest.mark.parametrize("service", [*REQUIRED, "health"])
def test_a_dead_service_is_told_once_within_the_limit_and_once_when_it_is_back(story: Story, service: str) -> None:
    story.go(200, dead=[service])
    ((at, _),) = story.told
    assert at - 120 + ROUND <= LIMIT
    assert story.words == [("opened", [(service, "no_sign")])]
    assert not story.watch.all_well
    story.go((STEADY + 2) * ROUND)
    assert story.words[1:] == [("closed", [(service, "no_sign")])]
    assert story.watch.all_well


def test_a_service_that_nobody_ever_saw_is_not_missed(story: Story) -> None:
    story.go(100, signs=dict.fromkeys(REQUIRED, 3.0))
    assert story.told == []


def test_while_the_database_is_away_only_it_is_accused(story: Story) -> None:
    story.go(300, unreachable=frozenset({"database"}), signs=None)
    assert story.words == [("opened", [("database", "unreachable")])]
    # Its clients left no signs meanwhile, and may take a moment to come back.
    story.go(ROUND, signs=dict.fromkeys(REQUIRED, 300.0))
    story.go(60)
    assert story.words[1:] == [("closed", [("database", "unreachable")])]


def test_who_died_while_the_database_was_away_is_found_after_it(story: Story) -> None:
    story.go(100, unreachable=frozenset({"database"}), signs=None)
    story.go(LIMIT, dead=["judge"])
    assert ("opened", [("judge", "no_sign")]) in story.words


def test_what_is_known_by_the_database_alone_is_not_over_because_it_is_away(story: Story) -> None:
    story.go(100, dead=["judge"])
    story.go(100, unreachable=frozenset({"database"}), signs=None)
    assert [phase for phase, _ in story.words] == ["opened", "opened"]


def test_a_short_absence_is_nobodys_business(story: Story) -> None:
    story.go(LIMIT / 2, unreachable=frozenset({"api", "kafka"})).go(60)
    assert story.told == []


def test_our_own_pause_accuses_nobody(story: Story) -> None:
    story.go(ROUND, unreachable=frozenset({"api"}))
    story.now += 600
    story.go(ROUND, unreachable=frozenset({"api"}), signs=dict.fromkeys(REQUIRED, 600.0))
    story.go(60)
    assert story.told == []


def test_a_consumer_may_hang_while_kafka_does(story: Story) -> None:
    story.go(ROUND, **at(5, 5))
    story.go(200, unreachable=frozenset({KAFKA}), dead=["judge"])
    assert story.words == [("opened", [("kafka", "unreachable")])]
    story.go(60)
    assert story.words[1:] == [("closed", [("kafka", "unreachable")])]


def at(offset: int, end: int) -> dict[str, object]:
    return {"positions": (Position("judge", "milepost.live", 3, offset, end),)}


def test_a_consumer_that_does_not_move_although_there_is_work_is_stuck(story: Story) -> None:
    story.go(100, **at(5, 5))
    assert story.told == [], "there is nothing to do"
    story.go(200, **at(5, 900))
    assert story.words == [("opened", [("judge", "stuck")])]
    story.go(30, unreachable=frozenset({KAFKA}))
    assert len(story.told) == 1, "without Kafka nobody knows"
    story.go(30, **at(900, 900))
    assert [phase for phase, _ in story.words] == ["opened", "closed"]


def test_a_consumer_that_is_behind_and_moves_is_not_stuck(story: Story) -> None:
    for offset in range(60):
        story.go(ROUND, **at(offset, 10_000))
    assert story.told == []


def test_what_fails_together_is_told_together_and_readable(story: Story) -> None:
    story.go(100, dead=["judge", "incidents"])
    ((_, told),) = story.told
    facts, message = write_notice(told, language="zh-CN", now=NOW, mono=story.now)
    assert message.title == "【平台自检】故障进程、判定进程不工作"
    assert "期间不判定在线与离线" in message.body
    assert facts.detail == {"judge": "no_sign", "incidents": "no_sign"}
    _, english = write_notice(told, language="en", now=NOW, mono=story.now)
    assert english.title == "[PLATFORM CHECK] not working: the incident process, the judge"


def test_an_announced_restart_is_no_alarm_and_what_outlasts_it_is(story: Story) -> None:
    story.go(ROUND, restart=300.0)
    story.go(280, signs=None, unreachable=frozenset({DATABASE, KAFKA, API}))
    assert story.told == []
    assert story.watch.is_restarting(story.now)
    story.go(60, signs=None, unreachable=frozenset({DATABASE}))
    assert story.words == [("opened", [(DATABASE, "unreachable")])]
    assert not story.watch.is_restarting(story.now)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("phase", ["opened", "closed"])
def test_what_the_watch_says_has_the_parts_of_every_alert(story: Story, phase: str, language: str) -> None:
    """How grave, since when, what follows and what to do; what is over asks for nothing, and all fits one SMS."""
    story.go(100, dead=["judge", "incidents"]).go(100)
    (told,) = (one for _, one in story.told if one.phase == phase)
    facts, message = write_notice(told, language=language, now=NOW, mono=story.now)  # type: ignore[arg-type]
    chinese = language == "zh-CN"
    severity, when, *parts, to_do = message.body.splitlines()
    assert severity.endswith("严重" if chinese else "critical")
    assert when.startswith(
        "自 2026-11-23 " if chinese else ("Since " if phase == "opened" else "From ") + "2026-11-23 "
    )
    assert len(parts) == 2
    assert to_do.startswith("处理：" if chinese else "To do: ")
    assert ("无需操作" in to_do or "it is over" in to_do) == (phase == "closed")
    assert units(message.short) <= MOST_UNITS
    assert message.short.startswith("【平台自检】" if chinese else "[PLATFORM CHECK] ")
    fields = fields_of("k", NOW, facts, message)
    assert (fields["type"], fields["id"], fields["severity"]) == (f"milepost.platform.{phase}", 0, "critical")
