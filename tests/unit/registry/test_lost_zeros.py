"""An id that lost its leading zeros in a spreadsheet program is asked about."""

import pytest

from registry.importing.lost_zeros import ZeroIds, set_aside_ids
from registry.importing.rows import Rows, parse_rows
from registry.importing.sheets.sheet import read_sheet

NONE = ZeroIds({}, {})
AREA = "630000000000"


def rows(*ids: str) -> Rows:
    return parse_rows(read_sheet(b"id,name,area\n" + b"".join(f"{i},n,63\n".encode() for i in ids)), "stations")


@pytest.mark.parametrize(
    ("ids", "registered", "known", "doubted"),
    [
        pytest.param(["12"], [], ZeroIds({"12": "0012"}, {}), ["12"], id="registered or heard with its zeros"),
        pytest.param(["12"], ["12"], ZeroIds({"12": "0012"}, {}), [], id="registered both ways"),
        pytest.param(["0011", "12"], [], NONE, ["12"], id="beside a longer one with zeros"),
        pytest.param(["0011", "1200"], [], NONE, [], id="as long as its siblings"),
        pytest.param(["0011", "12000"], [], NONE, [], id="longer than its siblings"),
        pytest.param(["12"], [], ZeroIds({}, {AREA: "0007"}), ["12"], id="in an area of longer ones with zeros"),
        pytest.param(["12"], [], ZeroIds({}, {"640000000000": "0007"}), [], id="another area has such ids"),
        pytest.param(["1", "12", "130"], [], NONE, [], id="no id has zeros: numbers as they are"),
        pytest.param(["0011", "A1"], [], NONE, [], id="no number"),
        pytest.param(["6302220001", "6302220002"], [], ZeroIds({}, {AREA: "0007"}), [], id="usual ids"),
    ],
)
def test_who_is_asked_about(ids: list[str], registered: list[str], known: ZeroIds, doubted: list[str]) -> None:
    left = set_aside_ids(rows(*ids), registered, known)
    assert [row.key for row in left.good] == [station for station in ids if station not in doubted]
    assert [cell.line - 2 for cell in left.bad] == [ids.index(station) for station in doubted]


def test_the_remedy_is_said_in_both_languages() -> None:
    (cell,) = set_aside_ids(rows("12"), [], ZeroIds({"12": "0012"}, {})).bad
    assert str(cell) == (
        "line 2, column id: 12 may have lost leading zeros (0012 is known): format the column as text and write them "
        "again, or confirm the ids of this file with --ids-as-written"
    )
    assert cell.problem.zh.startswith("12 可能丢了前面的 0（已有 0012）")
