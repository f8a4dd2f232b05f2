"""Seconds of the processor that this process and PostgreSQL used. On a busy machine they say more than a clock."""

import time

import psutil


def processor(session: int) -> float:
    """Seconds of this process and of a session of the database (`pg_backend_pid()`)."""
    times = psutil.Process(session).cpu_times()
    return time.process_time() + times.user + times.system
