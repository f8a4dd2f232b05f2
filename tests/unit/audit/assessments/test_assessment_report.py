"""The report of a kept assessment: a reason for each lost point, the same bytes at any time."""

import csv
import hashlib
import io
from datetime import UTC, datetime

import pytest

from audit.assessments.kept import AssessmentSummary, KeptAssessment, KeptBytes, inputs_of, make_assessment, reproduced
from audit.assessments.measured import AssessmentInputs, BeforePlace, Satisfaction
from audit.assessments.rules_yaml import read_rules
from audit.days.figures import Figures
from audit.effect.figures import TerminalCount
from audit.reports.assessment_report import assessment_report
from audit.reports.formats import FORMATS
from contract.errors import RemedyError
from tests.unit.audit.assessments.world import DEFAULT, HOUR, SIMPLE, inputs, place

MEASURED = Figures(
    scheduled_ms=110 * HOUR,
    excused_ms=0,
    unknown_ms=10 * HOUR,
    online_ms=90 * HOUR,
    service_due_ms=90 * HOUR,
    usable_ms=40 * HOUR,
)
PLACES = (
    place("=1+1", figures=MEASURED, terminals=TerminalCount(known=4, working=3), used_ms=11 * HOUR, open_ms=110 * HOUR,
          satisfaction=Satisfaction(score=7500, source="统计局")),
    place("b", 100, 90),
    place("c"),
)  # fmt: skip


def kept(found: AssessmentInputs, rules: str = DEFAULT, why: str | None = None) -> KeptAssessment:
    read = read_rules(rules)
    bytes_ = make_assessment(found, rules).kept
    summary = AssessmentSummary(
        id=7,
        area=found.area,
        period=found.period,
        revision=1 if why is None else 2,
        why=why,
        made_at=datetime(2026, 12, 12, tzinfo=UTC),
        made_by="operator",
        rules_name=read.name,
        rules_version=read.version,
        score=0,
        places=3,
        outcome="pass",  # type: ignore[arg-type]
    )
    return KeptAssessment(summary=summary, kept=bytes_)


def rows(found: KeptAssessment, language: str = "en") -> list[dict[str, str]]:
    written = FORMATS["csv"].write(assessment_report(found, language))
    assert written.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(written.decode("utf-8-sig"))))


def test_the_worst_come_first_with_a_reason_for_each_lost_point() -> None:
    before = (BeforePlace(level="station", id="b", score=9000, rank=3),)
    worst, best, none = rows(kept(inputs(*PLACES, before=before)))
    assert worst["place"] == "'=1+1", "no formula"
    assert worst["why"] == (
        "service rate 44.44% (all points from 95.00%): −30.00, no service 50:00 of 90:00; "
        "online rate 90.00% (all points from 98.00%): −11.12, not online 10:00 of 100:00; "
        "use rate 10.00% (all points from 20.00%): −7.50, used 11:00 of 110:00; "
        "share of terminals that work 75.00% (all points from 95.00%): −5.72, 1 of 4 terminals do not work; "
        "satisfaction 75.00% (all points from 90.00%): −5.00, scored by 统计局; "
        "coverage 90.90% (all points from 95.00%): −1.64, the platform cannot tell 10:00; "
        "coverage below 95%: no rate alone"
    )
    lost = [30.00, 11.12, 7.50, 5.72, 5.00, 1.64]
    assert float(worst["points"]) == round(100 - sum(lost), 2)
    assert (worst["rank"], worst["result"], worst["change"]) == ("2", "fail", "")
    assert (best["rank"], best["points"], best["change"], best["rank_before"]) == ("1", "100.00", "10.00", "3")
    assert best["why"] == ""
    assert (none["rank"], none["points"], none["result"], none["why"]) == (
        "", "", "not assessed", "no criterion has a value",
    )  # fmt: skip


def test_a_cap_is_a_reason() -> None:
    (one,) = rows(kept(inputs(place("a", 49, 90)), SIMPLE))
    assert one["why"] == (
        "online rate 49.00% (all points from 100.00%): −30.60, not online 51:00 of 100:00; "
        "online rate below 50.00%: at most 40.00 points, −29.40"
    )
    (one,) = rows(kept(inputs(place("a", 49, 90)), SIMPLE), "zh-CN")
    assert one["why"] == (
        "在线率 49.00%（满分线 100.00%）：失 30.60 分，应在线 100:00，不在线 51:00；"
        "在线率低于 50.00%，得分不超过 40.00 分：失 29.40 分"
    )


@pytest.mark.parametrize(("form", "language"), [("csv", "en"), ("xlsx", "zh-CN"), ("pdf", "zh-CN")])
def test_the_same_assessment_gives_the_same_bytes(form: str, language: str) -> None:
    first, second = [
        FORMATS[form].write(assessment_report(kept(inputs(*PLACES), why="scores came late"), language))
        for _ in range(2)
    ]
    assert first == second


def test_facts_name_rules_hashes_and_the_reason_of_a_revision() -> None:
    found = kept(inputs(*PLACES), why="scores came late")
    report = assessment_report(found, "en")
    facts = dict(report.facts)
    assert facts["Rules"] == "default, version 1"
    assert facts["Revision"] == "2, because: scores came late"
    assert facts["Places"] == "station: pass 1, fail 1, not assessed 1"
    assert all(digest in report.text.no_checkpoint for digest in found.kept.hashes.values())
    assert "MADE-UP" not in report.title


def test_make_assessment_give_the_result_again_to_the_byte() -> None:
    """The hash is that of the first release of the method: an assessment of an earlier year is computed as then."""
    made = make_assessment(inputs(*PLACES), SIMPLE).kept
    assert reproduced(made) == made.result
    assert inputs_of(made) == inputs(*PLACES)
    assert hashlib.sha256(made.result).hexdigest() == "2ed732bccf15198272c53fd4fd7afb4f1db44abba0bfe922dc8e719c1066584a"
    for broken in (b"[]", b"{}"):
        with pytest.raises(RemedyError):
            reproduced(KeptBytes(method=1, rules=made.rules, inputs=broken, result=made.result))
    with pytest.raises(RemedyError):
        reproduced(KeptBytes(method=2, rules=made.rules, inputs=made.inputs, result=made.result))
