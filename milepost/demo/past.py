"""The demo's past: a month of made-up history, its rates, its report, and the sheet of a station that is verified."""

import asyncio
import subprocess
from datetime import date, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Final

import msgspec

from audit.ledger import key_files
from contract.environ import bare_environ
from contract.said import Said
from milepost import datadir, http
from milepost.demo.questions import Ask, Facts
from milepost.demo.story import BrokenStepError
from milepost.stack.environs import own_command
from milepost.stack.stack import Stack

DAYS: Final = 35
"""Days of made-up history, so that a month has at least its half."""
_HALF_A_MONTH: Final = timedelta(days=14)
_LONGEST: Final = 60.0
"""Seconds for one file or one command."""
_UNPROVEN: Final = 3
"""The status of `milepost verify` when something cannot be proven: the newest day is not signed yet."""

_CHANGED: Final = 1
_UNREADABLE: Final = 2
"""The status of `milepost verify` for a text that is no proof any more; a PDF always keeps a readable proof."""
_NO_FONTS: Final = Said(
    "; for a PDF install fonts for Chinese and Tibetan (Debian: apt-get install fonts-noto-cjk fonts-ddc-uchen)",
    "；如需 PDF，请安装中文和藏文字体（Debian：apt-get install fonts-noto-cjk fonts-ddc-uchen）",
)


class VerifySaid(msgspec.Struct, frozen=True):
    """What `milepost verify` said: its status, and what it printed."""

    status: int
    text: str


class DemoPast:
    """What the demo shows of the made-up history."""

    def __init__(self, stack: Stack, ask: Ask) -> None:
        self._stack, self._ask = stack, ask
        self._period, self._sheet = "", Path()

    async def rates(self) -> Facts:
        """The rates of the newest month with enough days, and its worst station."""
        newest = await self._ask("uptime")
        if newest is None or newest["last_day"] is None:
            return None
        self._period = f"{date.fromisoformat(newest['last_day']) - _HALF_A_MONTH:%Y-%m}"
        found = await self._ask(f"uptime?period={self._period}")
        if found is None:
            return None
        figures = found["figures"]
        return {
            "period": self._period,
            "days": len(found["parts"]),
            "online": figures["online_percent"],
            "service": figures["service_percent"],
        }

    async def report(self) -> Facts:
        """The report of this month. Raises BrokenStepError."""
        place = await self._file("uptime", f"uptime-{self._period}", otherwise="xlsx")
        note = "" if place.suffix == ".pdf" else _NO_FONTS.text(self._stack.settings.language)
        return {"place": place, "size": place.stat().st_size, "note": note}

    async def sheet_verified(self) -> Facts:
        """What `milepost verify` says of the sheet of a station. Raises BrokenStepError if it names anything."""
        listed = await self._ask("stations?limit=1")
        if not listed or not listed["items"]:
            return None
        report = f"stations/{listed['items'][0]['id']}"
        self._sheet = await self._file(report, f"station-{self._period}", otherwise="proof")
        said = await self._verify(self._sheet)
        if said.status == _UNPROVEN:
            return None
        if said.status:
            raise BrokenStepError(*[f"milepost verify {self._sheet}: {said.text[-300:]}"] * 2)
        return {"place": self._sheet, "said": said.text.splitlines()[-1]}

    async def change_named(self) -> Facts:
        """What `milepost verify` says of this sheet with a changed byte. Raises BrokenStepError if it finds nothing."""
        copy = self._sheet.with_name(f"changed-{self._sheet.name}")
        changed = bytearray(self._sheet.read_bytes())
        changed[len(changed) // 2] ^= 1
        copy.write_bytes(changed)
        said = await self._verify(copy)
        named = {_CHANGED} if self._sheet.suffix == ".pdf" else {_CHANGED, _UNREADABLE}
        if said.status not in named:
            raise BrokenStepError("a changed byte was not found", "没有发现被改动的字节")
        return {"said": said.text.splitlines()[-1]}

    async def _file(self, report: str, name: str, *, otherwise: str) -> Path:
        """A report as PDF, or in the other format if this machine has no fonts for it."""
        form, answer = "pdf", await self._get(report, "pdf")
        if answer.status == HTTPStatus.SERVICE_UNAVAILABLE and b"font" in answer.body:
            form, answer = otherwise, await self._get(report, otherwise)
        if answer.status != HTTPStatus.OK:
            raise BrokenStepError(f"there is no report: {answer.status}", f"没有得到报告：{answer.status}")
        end = "proof.txt" if form == "proof" else form
        place = Path(datadir.subdirectory(self._stack.settings.data, "reports")) / f"{name}.{end}"
        place.write_bytes(answer.body)
        return place

    async def _get(self, report: str, form: str) -> http.HttpAnswer:
        asked = f"period={self._period}&format={form}&language={self._stack.settings.language}"
        url = f"{self._stack.api_url}/api/v1/reports/{report}?{asked}"
        return await http.get(url, token=self._stack.admin_token, seconds=_LONGEST)

    async def _verify(self, sheet: Path) -> VerifySaid:
        """Run the command as an auditor does, with the public key of the ledger."""
        key = key_files.read_key(Path(self._stack.settings.data) / "ledger" / "key").verifier.text
        command = own_command("verify", str(sheet), "--key", key)
        locale = {"zh-CN": "zh_CN.UTF-8", "en": "C.UTF-8"}[self._stack.settings.language]
        environ = bare_environ() | {"LC_ALL": locale, "PYTHONUTF8": "1"}

        def verify() -> VerifySaid:
            ended = subprocess.run(
                command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
                timeout=_LONGEST, check=False,
            )  # fmt: skip
            return VerifySaid(ended.returncode, ended.stdout.strip())

        return await asyncio.to_thread(verify)
