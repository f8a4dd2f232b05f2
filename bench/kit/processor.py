"""Seconds of the processor that this process and PostgreSQL used. On a busy machine they say more than a clock."""

import os
import time
from pathlib import Path
from typing import Final

_TICK: Final = os.sysconf("SC_CLK_TCK")
_OWN: Final = slice(11, 13)
"""In /proc/PID/stat, after the name: the time of the process itself and that in the kernel."""


def processor(session: int) -> float:
    """Seconds of this process and of a session of the database (`pg_backend_pid()`)."""
    words = Path(f"/proc/{session}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return time.process_time() + sum(map(int, words[_OWN])) / _TICK
