"""Troubles of the agent itself, reported as event records: its files, its outbox and its sampler."""

import logging
from typing import Final

from agents.files import Files
from agents.outbox.queue import Outbox
from agents.recorder import Recorder
from agents.sampler import Sampler

_log = logging.getLogger(__name__)

_DROP_REPORT_EVERY: Final = 3600.0
_DAMAGE_REPORT_EVERY: Final = 60.0


class TroubleWatch:
    """Reports each trouble once, when it begins. `now` is a monotonic second."""

    def __init__(self, recorder: Recorder, files: Files, outbox: Outbox, sampler: Sampler) -> None:
        self._recorder = recorder
        self._files, self._outbox, self._sampler = files, outbox, sampler
        self._reported_hang = False
        self._reported_files: str | None = None
        self._reported_outbox: str | None = None
        self._next_drop_report = self._next_damage_report = 0.0

    def check_files(self) -> None:
        """Let the outbox mend its file, and report files that cannot be used. Raises `RemedyError`."""
        self._outbox.mend()
        self._files.update(outbox=self._outbox.is_on_disk)
        while self._files.troubles:
            self._report_file(*self._files.troubles.popleft())

    def check_sampler(self) -> None:
        """Restart the sampler's thread if it died; report measurements that hang and reports that cannot be read."""
        self._sampler.supervise()
        if self._sampler.hangs != self._reported_hang:
            self._reported_hang = self._sampler.hangs
            if self._reported_hang:
                _log.error("measuring hangs: a disk or a service check does not answer")
                self._recorder.append_event("sampler_hangs", {"remedy": "a disk or a service check does not answer"})
        trouble = self._sampler.trouble
        if trouble is not None and trouble != self._reported_files:
            self._reported_files = trouble
            self._report_file("reports", trouble)

    def _report_file(self, file: str, error: str) -> None:
        _log.error("%s: %s", file, error)
        self._recorder.append_event("file_trouble", {"file": file, "error": _plain(error)})

    def check_outbox(self, now: float, *, is_up: bool) -> None:
        """Report a disk that refuses, what became of the outbox's file, and records that were damaged or dropped."""
        trouble = self._outbox.trouble
        if trouble != self._reported_outbox:
            self._reported_outbox = trouble
            if trouble:
                self._recorder.append_event("outbox_trouble", {"error": _plain(trouble)})
        while self._outbox.findings:
            self._recorder.append_event(*self._outbox.findings.popleft())
        self._report_damaged(now)
        if is_up:
            self._report_dropped(now)

    def _report_damaged(self, now: float) -> None:
        damaged = self._outbox.damaged
        if damaged and now >= self._next_damage_report:
            self._next_damage_report = now + _DAMAGE_REPORT_EVERY
            self._outbox.mark_damage_reported()
            detail = {"records": damaged, "remedy": "they are set aside; check the disk"}
            self._recorder.append_event("outbox_damaged", detail)

    def _report_dropped(self, now: float) -> None:
        dropped = self._outbox.dropped
        if dropped and now >= self._next_drop_report:
            self._next_drop_report = now + _DROP_REPORT_EVERY
            self._outbox.mark_dropped_reported()
            self._recorder.append_event("outbox_dropped", {"records": dropped})


def _plain(text: str) -> str:
    """What an event takes of an error's text."""
    return "".join(character if character.isprintable() else "?" for character in text[:200])
