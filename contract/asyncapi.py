"""The contract as an AsyncAPI 3.0 document, generated from the types.

`python -m contract.asyncapi > docs/asyncapi.json` writes it; a test compares.
"""

import sys
from typing import Any, Final, NamedTuple

import msgspec

from contract import messages
from contract.topics import ROOT, STATION_PATTERN, TERMINAL_PATTERN, VERSION

Document = dict[str, Any]


class DescribedChannel(NamedTuple):
    """A channel of the contract: its message, direction, QoS and retain flag, with an example."""

    name: str
    message: type[msgspec.Struct]
    up: bool
    qos: int
    retain: bool
    summary: str
    example: Document


CHANNELS: Final = (
    DescribedChannel(
        "heartbeat",
        messages.Heartbeat,
        True,
        0,
        False,
        "The sign of life of a terminal; the next heartbeat comes within `every` seconds.",
        {
            "v": 1,
            "boot": "b7f3c1e2",
            "run": 12,
            "conn": 3,
            "n": 4211,
            "at": 1795410000000,
            "up": 86400.5,
            "every": 60,
            "usable": True,
            "users": 3,
        },
    ),
    DescribedChannel(
        "status",
        messages.Status,
        True,
        1,
        True,
        "A change that the terminal announces, and its Last Will (`state` lost).",
        {
            "v": 1,
            "boot": "b7f3c1e2",
            "run": 12,
            "conn": 3,
            "n": 4212,
            "state": "away",
            "at": 1795410000000,
            "reason": "closing",
            "back_by": 1795453200000,
        },
    ),
    DescribedChannel(
        "data",
        messages.Data,
        True,
        1,
        False,
        "Records of one box: at most 500 and 128 KiB a message, sent again until an `ack` names them.",
        {
            "v": 1,
            "boot": "b7f3c1e2",
            "run": 12,
            "at": 1795410000000,
            "up": 86400.5,
            "box": "a04be771",
            "records": [{"id": 101, "kind": "health", "at": 1795409700000, "up": 86100.5, "cpu": 0.12}],
        },
    ),
    DescribedChannel(
        "reply",
        messages.Reply,
        True,
        1,
        False,
        "The progress of a command.",
        {"v": 1, "id": "c-1", "stage": "done", "at": 1795410000000, "result": {}},
    ),
    DescribedChannel(
        "ack",
        messages.Ack,
        False,
        1,
        False,
        "The stored ids of a box: the agent deletes exactly those records.",
        {"v": 1, "box": "a04be771", "ids": [[101, 148], [150, 150]]},
    ),
    DescribedChannel(
        "command",
        messages.Command,
        False,
        1,
        False,
        "A command; the terminal must not carry it out after `not_after`.",
        {"v": 1, "id": "c-1", "name": "report_now", "args": {}, "not_after": 1795410000000, "sig": "…"},
    ),
    DescribedChannel(
        "config",
        messages.Config,
        False,
        1,
        True,
        "Settings for the terminal; `rev` only rises.",
        {"v": 1, "rev": 7, "every": 60, "sample": 300, "sig": "…"},
    ),
)

RECORDS: Final[dict[type[msgspec.Struct], Document]] = {
    messages.Health: {
        "id": 101,
        "kind": "health",
        "at": 1795409700000,
        "up": 86100.5,
        "cpu": 0.12,
        "mem": 0.41,
        "disk": 0.63,
        "temp": 47.0,
        "rtt_ms": 38.5,
        "rx": 1048576,
        "tx": 524288,
        "wifi": True,
        "services": {"reader": True},
    },
    messages.Usage: {
        "id": 102,
        "kind": "usage",
        "at": 1795406400000,
        "up": 82800.5,
        "until": 1795410000000,
        "sessions": 7,
        "minutes": 93.5,
        "by": {"category": {"books": 5, "video": 2}, "language": {"zh": 4, "bo": 3}},
        "bytes": 18000000,
    },
    messages.Inventory: {
        "id": 1,
        "kind": "inventory",
        "at": 1795323600000,
        "up": 0.5,
        "model": "KT-200",
        "serial": "SN-1",
        "os": "Debian GNU/Linux 12",
        "agent": "milepost 0.1.0",
        "cpu": "RK3399",
        "mem_bytes": 4294967296,
        "disk_bytes": 64000000000,
        "installed": "2025-06-01",
        "resources": [
            {"id": "books-2026-10", "version": "3", "applied": 1795000000000, "lang": "bo", "bytes": 73400320}
        ],
    },
    messages.Presence: {
        "id": 103,
        "kind": "presence",
        "at": 1795380000000,
        "up": 56400.5,
        "until": 1795387200000,
        "until_up": 63600.5,
        "usable": True,
    },
    messages.Event: {
        "id": 104,
        "kind": "event",
        "at": 1795390000000,
        "up": 66400.5,
        "name": "outbox_dropped",
        "detail": {"records": 12},
    },
}
"""An example for each kind of record."""

_DESCRIPTION: Final = (
    "The messages between Milepost and terminals at service points. JSON in UTF-8; times in ms since the epoch; "
    f"unknown fields are ignored; a payload has at most {messages.MAX_PAYLOAD} bytes. The client id is "
    "`{station}-{terminal}-{random}`: at least 64 random bits for each start of the process, kept over reconnects, so "
    "that no other client can end its connection. Operations are named from the terminal's side."
)


def document() -> Document:
    """The whole document as a JSON object."""
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Milepost agent contract", "version": "1", "description": _DESCRIPTION},
        "defaultContentType": "application/json",
        "channels": {channel.name: _channel(channel) for channel in CHANNELS},
        "operations": {_operation_name(channel): _operation(channel) for channel in CHANNELS},
        "components": {
            "messages": {channel.name: _message(channel) for channel in CHANNELS},
            "schemas": _schemas(),
        },
    }


def _channel(channel: DescribedChannel) -> Document:
    return {
        "address": f"{ROOT}/{VERSION}/{{station}}/{{terminal}}/{channel.name}",
        "description": channel.summary,
        "messages": {channel.name: {"$ref": f"#/components/messages/{channel.name}"}},
        "parameters": {
            "station": {"description": f"The service point, {STATION_PATTERN}", "examples": ["6321220007"]},
            "terminal": {"description": f"The device at it, {TERMINAL_PATTERN}", "examples": ["001"]},
        },
    }


def _operation_name(channel: DescribedChannel) -> str:
    return f"{'send' if channel.up else 'receive'}_{channel.name}"


def _operation(channel: DescribedChannel) -> Document:
    return {
        "action": "send" if channel.up else "receive",
        "channel": {"$ref": f"#/channels/{channel.name}"},
        "summary": channel.summary,
        "messages": [{"$ref": f"#/channels/{channel.name}/messages/{channel.name}"}],
        "bindings": {"mqtt": {"qos": channel.qos, "retain": channel.retain, "bindingVersion": "0.2.0"}},
    }


def _message(channel: DescribedChannel) -> Document:
    return {
        "name": channel.name,
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{channel.message.__name__}"},
        "examples": [{"payload": channel.example}],
    }


def _schemas() -> Document:
    types = (*(channel.message for channel in CHANNELS), *RECORDS)
    _, schemas = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    # The types keep records raw and decode them separately; the document describes them for authors of agents.
    schemas["Data"]["properties"]["records"]["items"] = {"$ref": "#/components/schemas/Record"}
    schemas["Record"] = {
        "description": "A record; `kind` tells which.",
        "oneOf": [{"$ref": f"#/components/schemas/{record.__name__}"} for record in RECORDS],
    }
    for record, example in RECORDS.items():
        schemas[record.__name__]["properties"]["kind"]["description"] = "Which kind of record it is."
        schemas[record.__name__]["examples"] = [example]
    return {name: _as_draft_7(schema) for name, schema in sorted(schemas.items())}


def _as_draft_7(schema: Any) -> Any:
    """Convert to draft 7 of JSON Schema, which has no prefixItems; both items of a pair are alike."""
    if isinstance(schema, list):
        return [_as_draft_7(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _as_draft_7(inner) for key, inner in schema.items() if key != "prefixItems"}
    if "prefixItems" in schema:
        plain["items"] = _as_draft_7(schema["prefixItems"][0])
    return plain


def rendered() -> str:
    """The text of docs/asyncapi.json."""
    return msgspec.json.format(msgspec.json.encode(document()), indent=2).decode() + "\n"


if __name__ == "__main__":
    sys.stdout.write(rendered())
