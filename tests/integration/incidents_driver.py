"""A process of its own for one service: python -m tests.integration.incidents_driver SERVICE CONFIG-JSON."""

import asyncio
import logging
import signal
import sys
from typing import Any

import msgspec

from alerting.delivery import service as deliver
from alerting.incident_process import service as incidents

SERVICES: dict[str, tuple[Any, Any]] = {
    "incidents": (incidents.run, incidents.IncidentsConfig),
    "deliver": (deliver.run, deliver.DeliverConfig),
}


async def main(service: str, config: str) -> None:
    run, kind = SERVICES[service]
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await run(msgspec.json.decode(config.encode(), type=kind), stop)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    asyncio.run(main(*sys.argv[1:3]))
