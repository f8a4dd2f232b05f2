"""Assessments of kept days: made once, kept for ever, computed again from what they keep."""

import json

import asyncpg
import pytest

from api.read.assessments.load import load_inputs
from api.read.reports.load import load_uptime_facts
from api.read.uptime.period import period_named
from audit.assessments.kept import KeptAssessment, inputs_of, make_assessment, reproduced, result_of
from audit.assessments.measured import AssessmentInputs, Satisfaction
from audit.assessments.rules_yaml import default_rules
from audit.assessments.scores import Scores
from audit.assessments.store import AssessmentExistsError, keep_assessment, require_assessment
from audit.reports.assessment_report import assessment_report
from audit.reports.formats import FORMATS
from store.author import Author
from store.pool import Pool
from tests.integration.audit.days.day_world import DayWorld, at

BY = Author("operator")
SCORED = {"a": Satisfaction(score=9500, source="统计局"), "632122": Satisfaction(score=6000)}

NO_SCORES: Scores = {}


@pytest.fixture
async def days(pool: Pool) -> DayWorld:
    """Kept to the end of 2026. Station a was online, b fell on the second day, d was broken for half a day; c of
    another county was never heard."""
    days = DayWorld(pool)
    await days.register(["a", "b", "d"])
    await days.register(["c"], area="632123")
    for station in ("a", "b", "d"):
        await days.judge(station, 0, "online", usable=True)
    await days.judge("d", 12, "online", usable=False)
    await days.judge("d", 24, "online", usable=True)
    await days.judge("b", 24 + 12, "offline")
    await days.keep(24 * 60 + 5)
    return days


async def inputs(pool: Pool, period: str = "2026-11", area: str = "63", scores: Scores = NO_SCORES) -> AssessmentInputs:
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute("SELECT set_config('milepost.scope', '*', true)")
        return await load_inputs(connection, [area], period_named(period), scores)


async def made(pool: Pool, found: AssessmentInputs, why: str | None = None, rules: str = "") -> KeptAssessment:
    async with pool.acquire() as connection:
        return await keep_assessment(connection, make_assessment(found, rules or default_rules()), why, BY, at(1500))


async def test_the_figures_are_those_of_the_reports(days: DayWorld) -> None:
    found = await inputs(days.pool, scores=SCORED)
    async with days.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT set_config('milepost.scope', '*', true)")
        facts = await load_uptime_facts(connection, ["63"], period_named("2026-11"), "en")
    assert found.whole.figures == facts.figures and found.frozen
    places = {(one.level, one.id): one for one in found.places}
    assert [*places] == [
        ("county", "632122"), ("county", "632123"),
        ("station", "a"), ("station", "b"), ("station", "c"), ("station", "d"),
    ]  # fmt: skip
    assert {one.id: one.figures for one in facts.areas} == {
        code: places["county", code].figures for code in ("632122", "632123")
    }
    for one in facts.stations:
        assert places["station", one.id].figures == one.figures
    assert places["county", "632122"].open_ms == sum(places["station", name].open_ms for name in "abd")
    assert [places["station", "a"].satisfaction, places["county", "632122"].satisfaction] == [*SCORED.values()]


async def test_an_assessment_of_a_year_stays_to_the_byte(days: DayWorld) -> None:
    """After names, areas, stations, sources and rules changed, while the same question now has another answer."""
    before = await made(days.pool, await inputs(days.pool, "2026", scores=SCORED))
    files = {form: written.write(assessment_report(before, "zh-CN")) for form, written in FORMATS.items()}

    await days.move("a", "632123", 24 * 40)
    await days.retire("d", 24 * 61)
    await days.ran("b", 48 + 9, 48 + 11)
    async with days._edit() as connection:
        await connection.execute("UPDATE station SET name = '新名' WHERE id = 'b'")
        await connection.execute("UPDATE area SET name = '新县' WHERE code = '632122'")
    await days.keep(24 * 61 + 5)

    async with days.pool.acquire() as connection:
        after = await require_assessment(connection, before.summary.id)
    assert after == before
    assert reproduced(after.kept) == before.kept.result
    assert {form: written.write(assessment_report(after, "zh-CN")) for form, written in FORMATS.items()} == files

    now = await inputs(days.pool, "2026")
    assert now != inputs_of(before.kept)
    rules = default_rules().replace("version: 1", "version: 2").replace("full: 98", "full: 99")
    again = await made(days.pool, now, "rules changed", rules)
    assert again.kept.result != before.kept.result and (again.summary.revision, again.summary.rules_version) == (2, 2)
    async with days.pool.acquire() as connection:
        assert await require_assessment(connection, before.summary.id) == before


async def test_it_is_never_overwritten(days: DayWorld) -> None:
    found = await inputs(days.pool)
    first = await made(days.pool, found)
    for why in (None, "", "  "):
        with pytest.raises(AssessmentExistsError):
            await made(days.pool, found, why)
    second = await made(days.pool, found, " scores came late ")
    assert (first.summary.revision, first.summary.why) == (1, None)
    assert (second.summary.revision, second.summary.why) == (2, "scores came late")
    assert (await made(days.pool, await inputs(days.pool, area="632122"))).summary.revision == 1
    row = await days.pool.fetchrow("SELECT * FROM ledger_entry WHERE kind = 'assessment.made' ORDER BY id LIMIT 1")
    assert row is not None
    assert (row["subject"], row["actor"]) == (f"assessment/{first.summary.id}", "operator")
    assert json.loads(row["body"]) == {
        "area": "63", "period": "2026-11", "revision": 1, "method": 1, **first.kept.hashes,
    }  # fmt: skip
    for sql in ("UPDATE assessment SET score = 10000", "DELETE FROM assessment", "TRUNCATE assessment"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await days.pool.execute(sql)


async def test_the_period_before_is_its_newest_revision(days: DayWorld) -> None:
    november = await inputs(days.pool)
    await made(days.pool, november)
    await made(days.pool, november, "again", default_rules().replace("none: 70", "none: 0"))
    result = result_of((await made(days.pool, await inputs(days.pool, "2026-12"))).kept)
    async with days.pool.acquire() as connection:
        newest = result_of((await require_assessment(connection, 2)).kept)
    scores = {(one.level, one.id): (one.score, one.rank) for one in newest.places}
    assert {(one.level, one.id): (one.score_before, one.rank_before) for one in result.places} == scores
    assert result.whole.score_before == newest.whole.score


async def test_a_command_makes_one_with_the_rights_of_the_api(days: DayWorld) -> None:
    async with days.pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "SET LOCAL ROLE milepost_api; SET LOCAL search_path = scoped, public; "
            "SELECT set_config('milepost.scope', '*', true)"
        )
        found = await load_inputs(connection, ["63"], period_named("2026-11"), SCORED)
        for why in (None, "late"):
            one = await keep_assessment(connection, make_assessment(found, default_rules()), why, BY, at(1500))
        assert (await require_assessment(connection, one.summary.id)).summary.why == "late"
