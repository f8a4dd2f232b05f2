"""The commands of the board's first steps, copied from the page and run beside a running `milepost up`."""

import html
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.acceptance.stack import Stack, wait_until
from tests.servers import clean_environ

STATION = "6302220001"


@pytest.fixture
def stack(server_dir: Path) -> Iterator[Stack]:
    place = Path(tempfile.mkdtemp(prefix="first-", dir=server_dir))
    place.chmod(0o755)
    data = place / ".milepost"
    stack = Stack(
        data, MILEPOST_ALERT_LOG=str(data / "alerts.log"), MILEPOST_WILL_GRACE="1", MILEPOST_OPENING_GRACE="1"
    )
    stack.start()
    yield stack
    stack.end()


def blocks(stack: Stack, client: httpx.Client) -> list[str]:
    """What the copy buttons of the board copy."""
    text = client.get(f"{stack.url}/").text
    return [html.unescape(found) for found in re.findall(r'<code id="start-\w+">(.*?)</code>', text, re.DOTALL)]


def begin(stack: Stack, block: str) -> subprocess.Popen[str]:
    """Paste it into a shell in the directory of `up`, in which the environment of `milepost` is active."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.Popen(
        ["/bin/sh", "-ec", f"umask 077; {block}"],
        cwd=stack.data.parent,
        env=clean_environ(PATH=path, NO_PROXY="127.0.0.1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@pytest.mark.timeout(400)
def test_the_commands_work_as_they_are_copied(stack: Stack) -> None:
    lasting: list[subprocess.Popen[str]] = []
    with httpx.Client(headers={"Accept-Language": "zh-CN"}) as client:
        token = (stack.data / "admin.token").read_text().strip()
        client.post(f"{stack.url}/signin", data={"token": token}, headers={"Origin": stack.url})
        imports, agent, alerts = blocks(stack, client)
        try:
            done = begin(stack, imports)
            said, _ = done.communicate(timeout=120)
            assert done.returncode == 0, said
            assert {station["id"] for station in stack.items("stations")} == {STATION, "6302220002"}
            assert stack.get("areas/63")["counts"]["total"] == 2
            wait_until(lambda: 'class="card done"' in client.get(stack.url).text, 30, lambda: "the step is not done")

            lasting.append(begin(stack, agent))
            wait_until(lambda: stack.get(f"stations/{STATION}")["verdict"] == "online", 60, lambda: "not online")
            wait_until(lambda: blocks(stack, client) == [], 30, lambda: "the steps stay")

            lasting.append(begin(stack, alerts))
            os.killpg(lasting[0].pid, signal.SIGKILL)
            output = lasting[1].stdout
            assert output is not None
            line = next(text for text in output if STATION in text)
            assert "离线" in line or "station_offline" in line
        finally:
            for process in lasting:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                if process.stdout:
                    process.stdout.close()
