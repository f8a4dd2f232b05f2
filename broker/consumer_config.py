"""The settings of a log consumer, and how long it waits. Pure."""

import msgspec


class ConsumerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """`name` is the Kafka group and the consumer in consumer_offset; times in seconds.

    `poll`: the longest wait for entries while no partition is held; `idle_poll`: otherwise. `fetch_wait`: how long
    Kafka may keep a fetch open for which it has nothing. Apache Kafka answers as soon as an entry comes; Tansu looks
    again after up to half of that time.
    """

    name: str
    topic: str
    servers: str
    instance: str
    max_records: int = 20_000
    session_timeout: float = 6.0
    commit_timeout: float = 60.0
    stall_timeout: float = 20.0
    poll: float = 0.1
    idle_poll: float = 1.0
    fetch_wait: float = 2.0

    def patience(self, *, holds: bool, commit_in: float) -> float:
        """How long to wait for entries, s; meanwhile neither a commit nor a new assignment is noticed.

        `holds`: whether a partition is held; `commit_in`: seconds until what was taken in is to be committed, infinite
        without any.
        """
        return min(self.idle_poll, max(commit_in, 0.0)) if holds else self.poll
