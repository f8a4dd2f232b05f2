"""The end of the demo on a machine without fonts."""

from pathlib import Path
from typing import Any, cast

import pytest

from milepost import http
from milepost.demo import past
from milepost.demo.past import DemoPast, VerifySaid
from milepost.demo.story import BrokenStepError
from milepost.settings import Settings
from milepost.stack.stack import Stack

NO_FONT = b'{"detail": "the fonts lack characters of the report"}'


class AnsweringStack:
    api_url, admin_token = "http://127.0.0.1:1", "t"

    def __init__(self, place: Path) -> None:
        self.settings = Settings(data=place, language="en")


async def ask(path: str) -> Any:
    if path.startswith("stations"):
        return {"items": [{"id": "S1"}]}
    figures = {"online_percent": 99, "service_percent": 99}
    return {"last_day": "2026-11-28", "parts": [1], "figures": figures}


def past_of(place: Path, monkeypatch: pytest.MonkeyPatch, pdf: http.HttpAnswer) -> DemoPast:
    async def get(url: str, **_: object) -> http.HttpAnswer:
        return pdf if "format=pdf" in url else http.HttpAnswer(200, b"written without fonts")

    monkeypatch.setattr(past.http, "get", get)
    return DemoPast(cast("Stack", AnsweringStack(place)), ask)


@pytest.mark.parametrize(
    ("pdf", "name", "says"),
    [
        (http.HttpAnswer(200, b"%PDF-"), "uptime-2026-11.pdf", ""),
        (http.HttpAnswer(503, NO_FONT), "uptime-2026-11.xlsx", "apt-get install fonts-noto-cjk fonts-ddc-uchen"),
    ],
)
async def test_a_report_that_needs_missing_fonts_has_another_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pdf: http.HttpAnswer, name: str, says: str
) -> None:
    demo = past_of(tmp_path, monkeypatch, pdf)
    await demo.rates()
    found = await demo.report()
    assert found is not None
    assert (cast("Path", found["place"]).name, says in str(found["note"])) == (name, True)
    assert bool(found["note"]) == bool(says)


async def test_another_refusal_ends_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    demo = past_of(tmp_path, monkeypatch, http.HttpAnswer(503, b'{"detail": "try again"}'))
    await demo.rates()
    with pytest.raises(BrokenStepError, match="there is no report: 503"):
        await demo.report()


@pytest.mark.parametrize(
    ("pdf", "status", "seen"),
    [
        (http.HttpAnswer(200, b"%PDF-"), 1, True),
        (http.HttpAnswer(200, b"%PDF-"), 2, False),
        (http.HttpAnswer(503, NO_FONT), 1, True),
        (http.HttpAnswer(503, NO_FONT), 2, True),
        (http.HttpAnswer(503, NO_FONT), 0, False),
    ],
)
async def test_which_answers_name_a_changed_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pdf: http.HttpAnswer, status: int, seen: bool
) -> None:
    async def verify(_: DemoPast, sheet: Path) -> VerifySaid:
        return VerifySaid(status if sheet.name.startswith("changed") else 0, "said")

    monkeypatch.setattr(DemoPast, "_verify", verify)
    demo = past_of(tmp_path, monkeypatch, pdf)
    await demo.rates()
    assert await demo.sheet_verified() is not None
    if seen:
        assert await demo.change_named() == {"said": "said"}
    else:
        with pytest.raises(BrokenStepError):
            await demo.change_named()
