"""Ingest as a process of its own: python -m tests.integration.ingest_driver CONFIG-JSON."""

import asyncio
import logging
import signal
import sys

import msgspec

from ingest.service import IngestConfig, run


async def main(config: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await run(msgspec.json.decode(config, type=IngestConfig), stop)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    asyncio.run(main(sys.argv[1]))
