"""Scores of a third party, from a table."""

import pytest

from audit.assessments.measured import Satisfaction
from audit.assessments.scores import matched_scores, read_scores
from contract.errors import RemedyError
from registry.importing.sheets.sheet import read_sheet


def test_a_table_in_either_language() -> None:
    expected = {"6321220001": Satisfaction(score=8650, source="统计局"), "632122": Satisfaction(score=10000, source="")}
    english = "place,score,source\n6321220001,86.5,统计局\n632122,100\n"
    chinese = "来源,编号,满意度\n统计局,6321220001,86.50\n,632122,100.00\n"
    assert read_scores(read_sheet(english.encode())) == expected
    assert read_scores(read_sheet(chinese.encode("gb18030"))) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("station,score\na,1\n", "no column place"),
        ("place,score\na,101\n", "line 2: score is '101': give a number from 0 to 100"),
        ("place,score\na,-1\n", "line 2: score is '-1'"),
        ("place,score\na,1.234\n", "line 2: score is '1.234'"),
        ("place,score\na,\n", "line 2: score is ''"),
        ("place,score\na,1\na,2\n", "line 3: a is given twice: keep one"),
        ("place,score,source\na,1," + "x" * 201 + "\n", "line 2: source has 201 characters"),
    ],
)
def test_a_mistake_is_named(text: str, said: str) -> None:
    with pytest.raises(RemedyError) as raised:
        read_scores(read_sheet(text.encode()))
    assert said in raised.value.said.en and raised.value.said.zh != raised.value.said.en


def test_codes_of_areas_may_be_short() -> None:
    one = Satisfaction(score=1)
    assert matched_scores({"632122": one, "a": one}, {"632122000000", "a"}) == {"632122000000": one, "a": one}
    assert matched_scores({"632122": one}, {"632122"}) == {"632122": one}
    for scores in ({"b": one}, {"632122": one, "632122000000": one}):
        with pytest.raises(RemedyError):
            matched_scores(scores, {"632122000000"})
