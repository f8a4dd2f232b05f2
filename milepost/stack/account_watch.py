"""Bringing new and removed MQTT accounts into the running broker."""

import asyncio
import logging
import os
import signal
from pathlib import Path

from milepost.embedded import mqtt
from milepost.embedded.accounts import Accounts
from milepost.processes.supervisor import Supervisor

log = logging.getLogger(__name__)

ACCOUNTS_CHECK_SECONDS = 1.0


async def watch_accounts(accounts: Accounts, supervisor: Supervisor, directory: Path) -> None:
    """Reload the broker whenever `milepost account` changed the accounts, until cancelled."""
    while True:
        await asyncio.sleep(ACCOUNTS_CHECK_SECONDS)
        pid = supervisor.pid("mqtt")
        if pid is None or not accounts.changed():
            continue
        try:
            mqtt.write_accounts(directory / "mqtt", accounts.read())
            os.kill(pid, signal.SIGHUP)
        except OSError as exc:  # the disk is full, or the broker just ended
            log.warning("the MQTT accounts are not changed yet, it is tried again", extra={"error": repr(exc)})
            accounts.read_again()
