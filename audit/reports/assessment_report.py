"""The report of an assessment: the result, the places with a reason for each lost point, and the rules. Pure.

All contents come from the kept assessment, so the report stays the same whatever changes later.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Final

from audit.assessments.assess import Assessment, AssessmentResult, CriterionPoints, PlaceResult
from audit.assessments.kept import KeptAssessment, inputs_of, result_of
from audit.assessments.measured import STATION, AssessmentInputs, MeasuredPlace
from audit.assessments.rules import Cap, Criterion, CriterionRule, PeriodRules
from audit.assessments.rules_yaml import read_rules
from audit.reports.cell_text import cell_text, points_text, time_text
from audit.reports.columns import titled_column
from audit.reports.document import CellValue, ColumnKind, Report, ReportColumn, ReportTable, ReportText
from audit.reports.made_up import marked
from audit.reports.reasons import not_online_ms, not_served_ms
from audit.reports.texts import text
from contract.glossary import word
from contract.home import HOME

_NO_PLACE: Final = MeasuredPlace(level="", id="", name="")


def assessment_report(found: KeptAssessment, language: str) -> Report:
    """The report in `language` (zh-CN or en)."""
    inputs, result = inputs_of(found.kept), result_of(found.kept)
    read = read_rules(found.kept.rules)
    rules = read.year if inputs.is_year else read.month
    number = found.summary.id
    report = Report(
        title=text("assessment_title", language, place=whole_name(inputs, language)),
        subtitle=inputs.period,
        language=language,
        dated=inputs.last,
        facts=tuple(_facts(found, inputs, result, language)),
        notes=(text("assessed_note", language), text("assessed_areas_note", language)),
        tables=(
            _whole(inputs.whole, result.whole, language),
            _places(inputs, result, rules, language),
            _rules(rules, language),
        ),
        listed=1,
        wide=True,
        text=ReportText(
            page=text("page", language),
            verify_title=text("verify_title", language),
            verify=(
                text("verify_assessment", language, id=number),
                text("verify_assessment_entry", language),
            ),
            no_checkpoint="\n".join(
                [
                    text("assessed_entry", language, id=number),
                    *(f"{name} {digest}" for name, digest in found.kept.hashes.items()),
                ]
            ),
        ),
    )
    return marked(report) if inputs.made_up else report


def whole_name(inputs: AssessmentInputs, language: str) -> str:
    """The name of the assessed area."""
    return text("everything", language) if inputs.area is None else inputs.whole.named(language)


def level_word(level: str, language: str) -> str:
    """The name of a level."""
    return word("term" if level == STATION else "level", level, language)


def lost_reasons(place: MeasuredPlace, result: PlaceResult, rules: PeriodRules, language: str) -> list[str]:
    """A reason in words for each lost point, the most lost points first."""
    if result.score is None:
        return [text("assessed_nothing", language)]
    by_criterion = {rule.criterion: rule for rule in rules.criteria}
    lost = sorted((line for line in result.lines if line.lost), key=lambda line: -line.lost)
    found = [_lost(place, line, by_criterion[line.criterion], language) for line in lost]
    cap = result.cap
    if cap is not None:
        lost_by_cap = points_text(result.lost_by_cap)
        found.append(text("lost_by_cap", language, cap=_cap(cap, language), lost=lost_by_cap))
    if place.figures.due_ms and not place.figures.has_headline:
        found.append(text("few_known", language))
    return found


def _lost(place: MeasuredPlace, line: CriterionPoints, rule: CriterionRule, language: str) -> str:
    lost = text(
        "lost_points",
        language,
        criterion=word("criterion", line.criterion, language),
        value=text("no_value", language) if line.value is None else _percent(line.value),
        full=_percent(rule.full),
        lost=points_text(line.lost),
    )
    why = "" if line.value is None else _detail(place, line.criterion, language)
    return text("lost_points_why", language, lost=lost, why=why) if why else lost


def _detail(place: MeasuredPlace, criterion: Criterion, language: str) -> str:
    """The times or counts behind a value."""
    figures, terminals = place.figures, place.terminals

    def said(name: str, time: int, due: int) -> str:
        return text(name, language, time=time_text(time), due=time_text(due))

    match criterion:
        case Criterion.ONLINE_RATE if not figures.online_ms:
            return text("never_online", language)
        case Criterion.ONLINE_RATE:
            return said("was_offline", not_online_ms(figures), figures.due_ms)
        case Criterion.SERVICE_RATE:
            return said("was_not_served", not_served_ms(figures), figures.service_due_ms)
        case Criterion.COVERAGE:
            return text("was_unknown", language, time=time_text(figures.unknown_ms))
        case Criterion.WORKING_SHARE:
            return text("terminals_broken", language, n=terminals.known - terminals.working, known=terminals.known)
        case Criterion.USE_RATE:
            return said("was_used", place.used_ms or 0, place.open_ms)
        case Criterion.SATISFACTION:
            source = place.satisfaction.source if place.satisfaction else ""
            return text("scored_by", language, source=source) if source else ""


def result_counts(result: Assessment, language: str) -> str:
    """The number of places by level and result."""
    found: dict[str, Counter[AssessmentResult]] = {}
    for place in result.places:
        found.setdefault(place.level, Counter())[place.result] += 1
    return text("separator", language).join(
        text(
            "assessed_counted",
            language,
            level=level_word(level, language),
            counts=text("comma", language).join(
                f"{word('assessment_result', one, language)} {counts[one]:,}" for one in AssessmentResult if counts[one]
            ),
        )
        for level, counts in found.items()
    )


def _facts(
    found: KeptAssessment, inputs: AssessmentInputs, result: Assessment, language: str
) -> Iterator[tuple[str, str]]:
    def said(name: str, /, **values: object) -> str:
        return text(name, language, **values)

    summary, whole = found.summary, result.whole
    if inputs.area is not None:
        yield said("area"), f"{inputs.area} {inputs.whole.named(language)}"
    yield said("period"), inputs.period
    yield said("days"), said("days_between", first=inputs.first, last=inputs.last)
    yield said("status"), said("assessed_frozen" if inputs.frozen else "assessed_not_frozen")
    yield (
        said("assessed_as"),
        word("assessment_result", whole.result, language)
        if whole.score is None
        else said(
            "assessed_result",
            points=points_text(whole.score),
            result=word("assessment_result", whole.result, language),
        ),
    )
    yield said("assessed_counts"), result_counts(result, language)
    yield said("assessed_rules"), said("assessed_rules_named", name=summary.rules_name, version=summary.rules_version)
    yield said("assessed_on"), f"{summary.made_at.astimezone(HOME):%Y-%m-%d}"
    revision = "assessed_first" if summary.why is None else "assessed_again"
    yield said("assessed_revision"), said(revision, n=summary.revision, why=summary.why)


def _whole(place: MeasuredPlace, result: PlaceResult, language: str) -> ReportTable:
    rows: list[tuple[CellValue, ...]] = [
        (
            word("criterion", line.criterion, language),
            _fraction(line.value),
            *((line.possible, line.points, line.lost) if line.possible else (None, None, None)),
            _why_of_line(place, line, language),
        )
        for line in result.lines
    ]
    title = text("assessed_whole", language)
    return ReportTable(
        name=title,
        title=title,
        columns=(
            titled_column("criterion", language, share=4),
            titled_column("value_percent", language, ColumnKind.RATE, title="measured"),
            titled_column("possible", language, ColumnKind.POINTS),
            titled_column("points", language, ColumnKind.POINTS),
            titled_column("lost", language, ColumnKind.POINTS),
            titled_column("why", language, share=10),
        ),
        rows=rows,
    )


def _why_of_line(place: MeasuredPlace, line: CriterionPoints, language: str) -> str:
    if not line.possible:
        return text("left_out", language)
    if line.value is None:
        return text("no_value", language)
    return _detail(place, line.criterion, language) if line.lost else ""


def _places(inputs: AssessmentInputs, result: Assessment, rules: PeriodRules, language: str) -> ReportTable:
    measured = measured_by_key(inputs)
    rows: list[tuple[CellValue, ...]] = [
        (
            level_word(one.level, language),
            one.rank,
            one.id,
            measured.get((one.level, one.id), _NO_PLACE).named(language),
            one.score,
            word("assessment_result", one.result, language),
            change(one),
            one.rank_before,
            *(_fraction(line.value) for line in one.lines),
            text("separator", language).join(
                lost_reasons(measured.get((one.level, one.id), _NO_PLACE), one, rules, language)
            ),
        )
        for one in result.places
    ]
    return ReportTable(
        name=text("assessed_counts", language),
        title=text("assessed_places", language),
        columns=(
            titled_column("level", language, share=3),
            titled_column("rank", language, ColumnKind.COUNT),
            titled_column("place", language, share=5, title="place_code"),
            titled_column("name", language, share=4),
            titled_column("points", language, ColumnKind.POINTS),
            titled_column("result", language, share=3),
            titled_column("change", language, ColumnKind.POINTS, 3),
            titled_column("rank_before", language, ColumnKind.COUNT, 2),
            *(
                ReportColumn(
                    key=f"{rule.criterion}_percent",
                    title=word("criterion", rule.criterion, language),
                    kind=ColumnKind.RATE,
                    # The longest title.
                    share=4 if rule.criterion is Criterion.SATISFACTION else 3,
                )
                for rule in rules.criteria
            ),
            titled_column("why", language, share=14),
        ),
        rows=rows,
    )


def measured_by_key(inputs: AssessmentInputs) -> Mapping[tuple[str, str], MeasuredPlace]:
    """The places by level and id."""
    return {(one.level, one.id): one for one in inputs.places}


def change(place: PlaceResult) -> int | None:
    """Hundredths of points more than in the period before; None without either score."""
    return None if place.score is None or place.score_before is None else place.score - place.score_before


def _rules(rules: PeriodRules, language: str) -> ReportTable:
    caps = [_cap(cap, language) for cap in rules.caps]
    title = text("assessed_rule_table", language)
    lines = text("result_lines", language, passes=points_text(rules.passes), warns=points_text(rules.warns))
    return ReportTable(
        name=title,
        title=title,
        columns=(
            titled_column("criterion", language, share=4),
            titled_column("weight", language, ColumnKind.COUNT),
            titled_column("full_percent", language, ColumnKind.RATE, title="full_from"),
            titled_column("none_percent", language, ColumnKind.RATE, title="none_to"),
            titled_column("if_missing", language, share=4),
        ),
        rows=[
            (
                word("criterion", rule.criterion, language),
                rule.weight,
                _fraction(rule.full),
                _fraction(rule.none),
                text(f"missing_{rule.missing}", language),
            )
            for rule in rules.criteria
        ],
        note=text("separator", language).join([lines, *caps]),
    )


def _cap(cap: Cap, language: str) -> str:
    return text(
        "cap_rule",
        language,
        criterion=word("criterion", cap.criterion, language),
        below=_percent(cap.below),
        most=points_text(cap.at_most),
    )


def _fraction(hundredths: int | None) -> Fraction | None:
    return None if hundredths is None else Fraction(hundredths, 10_000)


def _percent(hundredths: int) -> str:
    return cell_text(_fraction(hundredths), ColumnKind.RATE)
