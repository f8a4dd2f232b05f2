"""Copies of checkpoints, to a file and over HTTP; a place that fails holds nothing up."""

import asyncio
import email
import email.policy
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import msgspec
import pytest

from alerting.delivery.senders.address_target import sender_config
from audit.ledger import key_files, service
from audit.ledger.checkpoints import parse_checkpoint
from audit.ledger.copy_store import read_places
from audit.ledger.notes import signed_by
from milepost.cli import run as run_command
from store.pool import Pool
from tests.integration.alerting.channels.receivers_kit import smtp_receiver
from tests.integration.audit.ledger_world import config, note


@pytest.fixture
def office() -> Iterator[tuple[str, list[str]]]:
    """The address of an office, and what it got."""
    got: list[str] = []

    class Desk(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = HTTPServer(("127.0.0.1", 0), Desk)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="office")
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook?token=secret", got
    server.shutdown()
    thread.join()
    server.server_close()


async def test_copies_of_a_checkpoint(
    pool: Pool, database: str, tmp_path: Path, office: tuple[str, list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    address, got = office
    away = "http://127.0.0.1:9/secret"
    (tmp_path / "copies").write_text(f"{address}\n{away}\n{tmp_path / 'disk' / 'copy'}\n/proc/none/copy\n")
    settings = msgspec.structs.replace(config(database, tmp_path), copies=read_places(tmp_path / "copies"))
    await note(pool, 1)
    stop = asyncio.Event()
    with caplog.at_level(logging.WARNING):
        task = asyncio.create_task(service.run(settings, stop))
        for _ in range(500):
            if got and (tmp_path / "disk" / "copy").exists() and caplog.text.count("no copy of the checkpoint") > 1:
                break
            await asyncio.sleep(0.02)
        stop.set()
        await task
    key = key_files.read_key(tmp_path / "key").verifier
    for text in (got[0], (tmp_path / "disk" / "copy").read_text()):
        signed = parse_checkpoint(text)
        assert signed.checkpoint.size and signed_by(signed.note, key) is True
    assert len(got) == 1, "at most one each minute"
    failed = [record for record in caplog.records if record.message == "no copy of the checkpoint"]
    assert sorted(record.__dict__["place"] for record in failed) == ["/proc/none/copy", "http://127.0.0.1:9"]


async def test_a_mail_with_a_checkpoint_proves_what_it_is_kept_for(
    pool: Pool, database: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "copies").write_text("mailto:audit@example.org\nmailto:gone@example.org\n")
    await note(pool, 1)
    async with smtp_receiver() as post:
        settings = msgspec.structs.replace(
            config(database, tmp_path),
            copies=read_places(tmp_path / "copies"),
            mail=sender_config(sms=None, mail=f"smtp://{post.url}?from=milepost@example.org"),
        )
        stop = asyncio.Event()
        task = asyncio.create_task(service.run(settings, stop))
        for _ in range(500):
            if len(post.mails) == 2:
                break
            await asyncio.sleep(0.02)
        stop.set()
        await task
    first = email.message_from_bytes(post.mails[0], policy=email.policy.default)
    assert first["To"] in {"audit@example.org", "gone@example.org"} and first["From"] == "milepost@example.org"
    assert str(first["Subject"]).startswith("Checkpoint of the ledger milepost-ledger-")
    part = first.get_body()
    assert part is not None
    _, _, kept = part.get_content().replace("\r\n", "\n").partition("\n\n")
    signed = parse_checkpoint(kept.rstrip("\n") + "\n")
    assert signed_by(signed.note, key_files.read_key(tmp_path / "key").verifier) is True
    (tmp_path / "kept").write_text(kept)
    assert key_files.read_checkpoint(tmp_path / "kept") is not None, "as a person saves it"


def test_mail_needs_a_gateway(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "copies").write_text("mailto:audit@example.org\n")
    environment = {
        "MILEPOST_DATABASE_URL": "postgresql://u@127.0.0.1:9/d",
        "MILEPOST_LEDGER_KEY": str(tmp_path / "key"),
        "MILEPOST_LEDGER_CHECKPOINT": str(tmp_path / "checkpoint"),
        "MILEPOST_LEDGER_COPIES": str(tmp_path / "copies"),
    }
    assert run_command(["audit"], environment) == 2
    assert "MILEPOST_MAIL_GATEWAY" in capsys.readouterr().err
