"""`milepost agent`, apart from the other services because small machines load it: no asyncio, no server packages."""

import argparse
import os
import signal
import threading
from types import FrameType

from agents.agent import run as run_agent
from agents.config import AgentConfig
from contract.errors import RemedyError
from milepost.settings import Settings, require, secret_in


def run(settings: Settings, arguments: argparse.Namespace) -> None:
    """Report this machine's health until SIGINT or SIGTERM; a second signal ends the process at once."""
    stop = threading.Event()

    def on_signal(number: int, _: FrameType | None) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    run_agent(config(settings, arguments), stop)


def config(settings: Settings, arguments: argparse.Namespace) -> AgentConfig:
    """The configuration of the agent; its files lie in a directory of its own under `settings.data`."""
    return AgentConfig(
        station=arguments.station,
        terminal=arguments.terminal,
        broker=arguments.broker or require(settings.mqtt_url, "MILEPOST_MQTT_URL", "mqtts://host:port (or --broker)"),
        password=secret_in(settings.mqtt_password_file, "MILEPOST_MQTT_PASSWORD_FILE"),
        ca=settings.mqtt_ca_file,
        root=settings.data,
        data=settings.data / "agent",
        every=arguments.every,
        sample=arguments.sample,
        disk=arguments.disk,
        usable={"yes": True, "no": False, None: None}[arguments.usable],
        usable_command=tuple(arguments.usable_command.split()),
        services=dict(map(parse_check, arguments.service)),
        wifi=arguments.wifi,
        reports=arguments.reports,
        accept_unsigned=arguments.accept_unsigned,
    )


def parse_check(text: str) -> tuple[str, str]:
    """Read ``NAME=CHECK``. Raises RemedyError."""
    name, equals, check = text.partition("=")
    if not (name and equals and check):
        raise RemedyError(
            f"--service is {text!r}: give it as NAME=tcp://host:port or NAME=process:name",
            f"--service 为 {text!r}：应写作 NAME=tcp://host:port 或 NAME=process:name",
        )
    return name, check
