"""What users of other systems complain of, and the test that shows it is otherwise here.

| complaint | test |
|---|---|
| created in mid-year, divided by half a year (icingadb 834) | audit/days/test_figures.py test_a_station_from_the_middle_of_the_year_is_divided_by_its_own_time |
| 100% before it existed (idoreports 36) | audit/days/test_figures.py test_before_it_existed_there_is_no_rate |
| over 100% (idoreports 24) | audit/days/test_figures.py test_never_over_100_percent |
| alone 96.9%, in the group 100% (idoreports 61, icingaweb2-module-reporting 93) | audit/days/test_station_days.py test_alone_and_in_a_group_of_one_it_is_the_same |
| a running downtime is not counted (idoreports 3) | audit/days/test_figures.py test_a_downtime_that_goes_on_counts |
| last month ends at 23:59:59 and loses a second | audit/days/test_local_days.py test_a_month_does_not_lose_its_last_second |
| no data is 100% (service-level-operator 19) | audit/days/test_figures.py test_no_data_is_not_100_percent |
| two weeks of no data unnoticed (pyrra 448) | audit/days/test_figures.py test_time_without_data_is_noticed |
| overlapping outages counted twice (aiwatch 1006) | audit/days/test_figures.py test_overlapping_outages_count_once |
| the summary is a mean of rates (Checkmk, 899.08 / 10) | audit/days/test_station_days.py test_an_area_is_no_mean_of_rates |
| no service hours (OneUptime 1599) | audit/days/test_figures.py test_only_opening_hours_count |
| a corrected incident cannot change the past (checkly 278) | audit/days/test_revisions.py test_late_presence_heals_the_past_and_overwrites_nothing |
| a rate where nothing was due | audit/days/test_complaints.py test_where_nothing_was_due_there_is_no_rate |
| a hash over nanoseconds of columns of microseconds (Containarium 1326) | audit/days/test_complaints.py test_a_leaf_holds_only_what_its_columns_hold |
| a lock on the tail that forks (Containarium 1326) | ../integration/audit/test_sealing.py test_one_process_seals_and_the_standby_goes_on |
| deleting the tail verifies (agent-bom 3697, openfang 1287) | ../integration/audit/test_attacks.py test_the_end_is_cut_off_or_an_old_database_is_put_back |
| CSV without BOM is garbled in Excel (SQLPage 528) | audit/days/test_complaints.py test_csv_begins_with_the_mark_of_utf8 |
"""  # noqa: E501 -- a row is a line

import re
from datetime import datetime, timedelta

import pytest

from audit.days.figures import Figures, total
from audit.reports.csv_format import csv_bytes
from store.ledger import ms_of
from tests.machine_words import ROOT
from tests.unit.audit.days.world import MIDNIGHT
from tests.unit.audit.reports.test_formats import report

ROWS = re.findall(r"^\| (.+) \| (\S+\.py) (test_\w+) \|$", __doc__ or "", re.MULTILINE)


def test_every_complaint_has_its_test() -> None:
    assert len(ROWS) == len((__doc__ or "").strip().splitlines()) - 4
    for complaint, file, name in ROWS:
        text = (ROOT / "tests" / "unit" / file).read_text(encoding="utf-8")
        assert f"def {name}(" in text, complaint


@pytest.mark.parametrize(
    "figures",
    [
        Figures(),
        Figures(scheduled_ms=9, excused_ms=9),
        Figures(scheduled_ms=9, unknown_ms=9),
        Figures(scheduled_ms=9, excused_ms=4, unknown_ms=5),
        total([Figures(), Figures(scheduled_ms=9, excused_ms=9)]),
    ],
)
def test_where_nothing_was_due_there_is_no_rate(figures: Figures) -> None:
    assert (figures.online_rate, figures.service_rate, figures.has_headline) == (None, None, False)


@pytest.mark.parametrize("micros", [0, 1, 999, 1000, 999_999])
def test_a_leaf_holds_only_what_its_columns_hold(micros: int) -> None:
    """Times in leaves are whole milliseconds, rounded down before the hash, and columns hold microseconds."""
    moment: datetime = MIDNIGHT + timedelta(microseconds=micros)
    assert ms_of(moment) == ms_of(MIDNIGHT) + micros // 1000


def test_csv_begins_with_the_mark_of_utf8() -> None:
    assert csv_bytes(report()).startswith(b"\xef\xbb\xbf")
