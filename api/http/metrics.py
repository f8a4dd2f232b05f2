"""What Prometheus reads. Every label has few values: verdicts, kinds, shards, route templates."""

from collections.abc import Mapping
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from alerting.stations.verdict import Clocks, Verdict

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_MOST_KINDS: Final = 50


# A series with the time of its creation for each counter would double the series.
disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no annotations


class Metrics:
    """One server's figures, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        registry = self._registry
        self._requests = Counter(
            "milepost_http_requests", "Answers given.", ["method", "route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "milepost_http_seconds",
            "Seconds until an answer began.",
            ["route"],
            buckets=(0.005, 0.02, 0.1, 0.5, 2.0),
            registry=registry,
        )
        self._up = Gauge("milepost_database_up", "1 when the database answered this scrape.", registry=registry)
        self._stations = Gauge("milepost_stations", "Stations by verdict.", ["verdict"], registry=registry)
        self._incidents = Gauge(
            "milepost_incidents_open", "Incidents that are not closed.", ["kind", "status"], registry=registry
        )
        self._age = Gauge(
            "milepost_clock_age_seconds", "Age of the shard's oldest pipeline clock.", ["shard"], registry=registry
        )
        self._blind = Gauge(
            "milepost_clock_blind", "Clocks of the shard that cannot be trusted now.", ["shard"], registry=registry
        )
        self._deadletters = Gauge("milepost_dead_letters", "Messages refused so far.", registry=registry)
        self._aside = Gauge(
            "milepost_set_aside",
            "Things that a service cannot judge and goes on without.",
            ["service"],
            registry=registry,
        )
        self._pages = Gauge(
            "milepost_pages_waiting", "Pages to contacts that are not settled.", ["state"], registry=registry
        )
        self._oldest_page = Gauge(
            "milepost_page_oldest_seconds", "How long the oldest of the pages that are due waits.", registry=registry
        )
        self.streams = Gauge("milepost_stream_clients", "Open event streams.", registry=registry)
        self.streams_dropped = Counter(
            "milepost_stream_dropped", "Event streams ended because their client was too slow.", registry=registry
        )

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answer; `route`: its template, `seconds`: until it began."""
        self._requests.labels(method if method in _METHODS else "other", route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def show_database(self, up: bool) -> None:
        """Whether the database answered; while it does not, figures of it are left out."""
        self._up.set(int(up))
        if not up:  # better no figures than old ones
            for gauge in (self._stations, self._incidents, self._age, self._blind, self._aside, self._pages):
                gauge.clear()

    def show(
        self,
        *,
        stations: Mapping[Verdict, int],
        incidents: Mapping[tuple[str, str], int],
        clocks: Clocks,
        deadletters: int,
        aside: Mapping[str, int],
    ) -> None:
        """Take over what a scrape found in the database."""
        for verdict in Verdict:
            self._stations.labels(verdict.value).set(stations.get(verdict, 0))
        self._incidents.clear()
        for (kind, status), number in list(incidents.items())[:_MOST_KINDS]:
            self._incidents.labels(kind, status).set(number)
        self._show_clocks(clocks)
        self._deadletters.set(deadletters)
        self._aside.clear()
        for service, things in sorted(aside.items()):
            self._aside.labels(service).set(things)

    def show_pages(self, *, due: int, held: int, unreached: int, oldest: float) -> None:
        """Pages that are due, held, and tried in vain by every channel; seconds that the oldest due one waits."""
        for state, number in (("due", due), ("held", held), ("unreached", unreached)):
            self._pages.labels(state).set(number)
        self._oldest_page.set(oldest)

    def _show_clocks(self, clocks: Clocks) -> None:
        self._age.clear()
        self._blind.clear()
        for shard in sorted({clock.shard for clock in clocks.all}):
            its = [clock for clock in clocks.all if clock.shard == shard]
            oldest = min(min(clock.tick_at, clock.judged_at) for clock in its)
            self._age.labels(shard).set(max((clocks.now - oldest).total_seconds(), 0))
            self._blind.labels(shard).set(sum(not clocks.is_sound(clock) for clock in its))

    def text(self) -> bytes:
        """All figures in the text format of Prometheus."""
        return generate_latest(self._registry)
