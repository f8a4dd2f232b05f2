"""docs/limits.md says what the code does."""

from pathlib import Path

import pytest

from access import administration
from agents.mqtt.bounded_client import MAX_PACKET
from alerting.delivery.bots import MAX_ANSWER
from alerting.delivery.pages.packing import MOST_PAGES
from alerting.delivery.pages.service import PagingConfig
from alerting.delivery.pages.store import MOST_READ
from alerting.delivery.pages.writing import MOST_LISTED
from alerting.delivery.senders.address_target import SEND_TIMEOUT
from alerting.delivery.senders.apprise_sender_target import APPRISE_AT_ONCE
from alerting.delivery.senders.hiding import ANSWER_MOST
from alerting.delivery.senders.http_target import HTTP_AT_ONCE
from alerting.delivery.senders.smtp_target import SMTP_AT_ONCE
from alerting.health.evaluate import MOST_FIRING
from alerting.health.memory import MAX_BOXES, MOST_BASE
from alerting.health.runs import MAX_CHAINS, MAX_RUNS
from alerting.liveness.model import LivenessSettings
from api.config import ApiConfig
from api.http import connections, middleware, session_rules, times, work
from api.live import event_hub
from api.read import history, stations
from api.read.areas import MOST_CHILDREN
from api.v1 import pipeline
from broker import retained
from broker.acks import MAX_RANGES
from broker.ticks import census, namesakes
from contract.messages import MOST_TERMINALS
from milepost.settings import Settings
from milepost.signin import MINUTES
from registry.contacts.addresses import MOST_SECRETS
from registry.store import MAX_AUTO_REGISTERED, MAX_TERMINALS, MAX_UNREGISTERED

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "limits.md").read_text(encoding="utf-8")
SERVER = ApiConfig(database_url="", admin_token_file=None)


@pytest.mark.parametrize(
    "said",
    [
        f"| {MAX_PACKET // 1024} KiB (`agents/mqtt/bounded_client.py`)",
        f"`MILEPOST_STATION_TERMINALS`, {Settings().station_terminals} |",
        f"`MILEPOST_AUTO_REGISTER_MOST`, {Settings().auto_register_most:,} |",
        f"{LivenessSettings().strangers:,} of a partition are followed",
        f"{MAX_UNREGISTERED:,} are listed under `/api/v1/unregistered`, each with {MAX_TERMINALS} terminals",
        f"one status of {retained.LARGE // 1024} KiB",
        f"{retained.MOST:,} topics and {retained.MOST_FILTERS} stations at a time",
        f"| {census.MOST_STATIONS:,} (`broker/ticks/census.py`), each with {MOST_TERMINALS} terminals",
        f"| {namesakes.MOST} (`broker/ticks/namesakes.py`)",
        f"each of {MAX_RANGES:,} ranges of ids",
        f"{MAX_BOXES} boots of {MAX_RUNS} runs of {MAX_CHAINS} chains each, {MOST_BASE} that",
        f"| {MOST_FIRING} (`alerting/health/evaluate.py`)",
        f"| {times.LONGEST.days} days (`api/http/times.py`)",
        f"| {history.MOST:,} of each |",
        f"as many as have {stations.MOST_TERMINALS:,} terminals together",
        f"{pipeline.MOST_GAPS:,} of all together",
        f"(over {work.FEW} things) | two threads, {work.MOST_WAITING} answers that wait",
        f"| {middleware.MAX_BODY // 1024} KiB, within {middleware.BODY_WITHIN:.0f} s |",
        f"| {SERVER.connections}; one without a request under way for {connections.PATIENCE:.0f} s ends",
        f"| {session_rules.MOST_SESSIONS:,} (`api/http/session_rules.py`)",
        f"| {session_rules.MOST_CODES}, for {session_rules.CODE_SECONDS / 60:.0f} minutes each; "
        f"one of {administration.FIRST_LINK.total_seconds() / 3600:.0f} hours, made by an administrator, "
        "ends the earlier ones |",
        f"| {administration.MOST_TOKENS} (`access/administration.py`)",
        f"| {MOST_CHILDREN:,} are listed |",
        f"| {event_hub.MOST_CLIENTS}, each with {event_hub.QUEUE:,} events that wait; "
        f"{event_hub.REMEMBERED:,} are remembered",
        f"| {MOST_PAGES}, of them {MOST_LISTED} listed (`alerting/delivery/pages/packing.py`)",
        f"| {PagingConfig().most_sends} of each kind of channel in each process",
        f"| {SEND_TIMEOUT:.0f} s; {MAX_ANSWER // 1024} KiB of an answer, of which {ANSWER_MOST} characters are kept",
        f"| {HTTP_AT_ONCE} by HTTP, {SMTP_AT_ONCE} to the mail server, {APPRISE_AT_ONCE} threads of apprise",
        f"| {MOST_SECRETS} (`registry/contacts/addresses.py`)",
        f"| {MOST_READ:,}, the gravest first (`alerting/delivery/pages/store.py`)",
    ],
)
def test_the_list_has_the_numbers_of_the_code(said: str) -> None:
    assert said in TEXT


def test_the_defaults_that_stand_twice_are_the_same() -> None:
    assert Settings().station_terminals == MOST_TERMINALS
    assert Settings().auto_register_most == MAX_AUTO_REGISTERED
    assert session_rules.CODE_SECONDS == MINUTES * 60
