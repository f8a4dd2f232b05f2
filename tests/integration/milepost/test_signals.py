"""What a service does when it is asked to stop."""

import signal
import subprocess
import sys
import time

import pytest

SERVICE = """
import asyncio, signal, sys
from milepost.signals import run_until_stopped
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may run under nohup
async def main(stop):
    print("up", flush=True)
    await stop.wait()
    print("asked", flush=True)
    await asyncio.sleep(0 if "quick" in sys.argv else 60)
sys.exit(run_until_stopped(main, uvloop="uvloop" in sys.argv))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_one_signal_asks(number: signal.Signals, loop: str) -> None:
    command = [sys.executable, "-c", SERVICE, "quick", loop]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        assert service.stdout.readline() == "up\n"
        service.send_signal(number)
        assert service.wait(20) == 0


def test_a_second_one_ends_it_at_once_but_not_the_echo_of_the_first() -> None:
    command = [sys.executable, "-c", SERVICE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        assert service.stdout.readline() == "up\n"
        # Both arrive at one moment, however slow this process is.
        for number in (signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGCONT):
            service.send_signal(number)
        assert service.stdout.readline() == "asked\n"
        with pytest.raises(subprocess.TimeoutExpired):
            service.wait(0.3)
        deadline = time.monotonic() + 20
        while service.poll() is None and time.monotonic() < deadline:
            service.send_signal(signal.SIGINT)
            time.sleep(0.05)
        assert service.poll() == 128 + signal.SIGINT
