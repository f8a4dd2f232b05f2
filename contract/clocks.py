"""The numbers that are moments, as types of their own: mypy refuses one kind where another is meant. Pure.

At run time each is a plain number. A shell that reads a clock names the type there; a message that is decoded has it in
its fields. A sum or difference is a plain number again: a length of time stays a `float` in seconds or an `int` in ms,
and a moment that is computed from one names its type. For what people and the database see there is `datetime`.
"""

from typing import NewType

WallMs = NewType("WallMs", int)
"""A moment of a wall clock: ms since the epoch. Wall clocks may be wrong, and may be set back."""
WallSeconds = NewType("WallSeconds", float)
"""The same in seconds since the epoch."""
WallMicros = NewType("WallMicros", int)
"""The same in microseconds since the epoch, as columns of the incident process hold it."""
MonotonicMs = NewType("MonotonicMs", int)
"""A moment of a monotonic clock: ms since an origin of its own, so comparable only within one life of one process."""
MonotonicSeconds = NewType("MonotonicSeconds", float)
"""The same in seconds: what `time.monotonic()` shows, or the `up` of a device, whose origin is its boot."""
PipelineSeconds = NewType("PipelineSeconds", float)
"""A moment of the pipeline clock of one (partition, shard): the seconds that counted (docs/architecture.md, Time)."""
