"""The memory of a witness in a folder, and its HTTP server (C2SP tlog-witness). It needs no database."""

import logging
import time
from collections.abc import Mapping, Sequence
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Final

from audit.ledger import key_files
from audit.ledger.checkpoints import Checkpoint, SignedCheckpoint
from audit.ledger.notes import SignerKey, VerifierKey
from audit.ledger.witness import WitnessAnswer, answer_request

log = logging.getLogger(__name__)

_MOST_REQUEST: Final = 64 * 1024
_TIMEOUT: Final = 10.0
_MOST_FORKS: Final = 1000
"""Checkpoints of other histories that are kept as evidence."""


class WitnessDesk:
    """Answers requests one after the other. What was signed is on the disk before the answer."""

    def __init__(self, folder: Path, key: SignerKey, logs: Sequence[VerifierKey]) -> None:
        self._folder = folder
        self._key = key
        self._logs: dict[str, list[VerifierKey]] = {}
        for one in logs:
            self._logs.setdefault(one.name, []).append(one)

    def answer(self, raw: str) -> WitnessAnswer:
        """Answer a request, and remember what was signed. Raises RemedyError when the folder cannot be used."""
        answer = answer_request(raw, self._logs, self._known(), self._key, int(time.time()))
        if answer.keep is not None:
            key_files.write_checkpoint(self._file("signed", answer.keep.checkpoint.origin), answer.keep)
        if answer.fork is not None:
            self._keep_fork(answer.fork)
        if answer.said is not None:
            log.warning("not signed: %s", answer.said.en, extra={"status": answer.status})
        return answer

    def _known(self) -> Mapping[str, Checkpoint]:
        kept = {origin: key_files.read_checkpoint(self._file("signed", origin)) for origin in self._logs}
        return {origin: signed.checkpoint for origin, signed in kept.items() if signed is not None}

    def _keep_fork(self, signed: SignedCheckpoint) -> None:
        if len(list(self._folder.glob("fork-*"))) < _MOST_FORKS:
            key_files.write_checkpoint(self._file("fork", signed.note.text), signed)

    def _file(self, kind: str, text: str) -> Path:
        return self._folder / f"{kind}-{sha256(text.encode()).hexdigest()[:32]}.checkpoint"


def witness_server(desk: WitnessDesk, host: str, port: int) -> HTTPServer:
    """A server that takes `POST /add-checkpoint`, one at a time."""

    class WitnessHandler(BaseHTTPRequestHandler):
        timeout = _TIMEOUT

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if self.path != "/add-checkpoint":
                self._send(WitnessAnswer(status=404, body="the path is /add-checkpoint\n"))
            elif not length.isdigit() or int(length) > _MOST_REQUEST:
                self._send(WitnessAnswer(status=413, body="a request has at most 64 KiB\n"))
            else:
                self._send(desk.answer(self.rfile.read(int(length)).decode(errors="replace")))

        def _send(self, answer: WitnessAnswer) -> None:
            body = answer.body.encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """What matters is logged by the desk."""

    return HTTPServer((host, port), WitnessHandler)
