"""The AsyncAPI document: as committed, well formed, and true of the golden payloads."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from contract import asyncapi
from contract.topics import DOWN_CHANNELS, UP_CHANNELS, parse_topic
from tests.unit.contract.test_golden import DECODERS, REFUSED, VALID, channel_of

DOCUMENT: dict[str, Any] = json.loads(asyncapi.rendered())
SCHEMAS = DOCUMENT["components"]["schemas"]
COMMITTED = Path(__file__).parents[3] / "docs" / "asyncapi.json"


def resolve(reference: str) -> Any:
    found: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def references(node: Any) -> list[str]:
    if isinstance(node, list):
        return [found for inner in node for found in references(inner)]
    if not isinstance(node, dict):
        return []
    own = [node["$ref"]] if "$ref" in node else []
    return own + [found for inner in node.values() for found in references(inner)]


def validator(schema: str) -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator({**DOCUMENT, "$ref": f"#/components/schemas/{schema}"})


def schema_of(channel: str) -> str:
    return (
        "Record"
        if channel == "record"
        else resolve(f"#/components/messages/{channel}")["payload"]["$ref"].split("/")[-1]
    )


def test_the_committed_document_is_the_generated_one() -> None:
    assert COMMITTED.read_text() == asyncapi.rendered(), "run: python -m contract.asyncapi > docs/asyncapi.json"


def test_the_document_has_the_parts_that_asyncapi_3_asks_for() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= DOCUMENT["info"].keys()
    assert DOCUMENT.keys() <= {"asyncapi", "info", "defaultContentType", "channels", "operations", "components"}


def test_every_reference_leads_somewhere() -> None:
    found = references(DOCUMENT)
    assert len(found) > 30
    for reference in found:
        assert resolve(reference), reference


def test_every_channel_has_its_address_message_and_operation() -> None:
    assert DOCUMENT["channels"].keys() == UP_CHANNELS | DOWN_CHANNELS
    for name, channel in DOCUMENT["channels"].items():
        address = channel["address"].format(station="6321220007", terminal="001")
        assert parse_topic(address).channel == name
        assert channel["parameters"].keys() == {"station", "terminal"}
        assert resolve(channel["messages"][name]["$ref"])["name"] == name


def test_operations_say_who_speaks_and_how() -> None:
    told = {}
    for operation in DOCUMENT["operations"].values():
        name = operation["channel"]["$ref"].split("/")[-1]
        assert operation["messages"] == [{"$ref": f"#/channels/{name}/messages/{name}"}]
        binding = operation["bindings"]["mqtt"]
        told[name] = (operation["action"], binding["qos"], binding["retain"])
    assert told == {
        "heartbeat": ("send", 0, False),
        "status": ("send", 1, True),
        "data": ("send", 1, False),
        "reply": ("send", 1, False),
        "ack": ("receive", 1, False),
        "command": ("receive", 1, False),
        "config": ("receive", 1, True),
    }


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_schemas_are_json_schema(name: str) -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMAS[name])


@pytest.mark.parametrize("channel", asyncapi.CHANNELS, ids=lambda channel: channel.name)
def test_examples_keep_the_contract_and_the_schema(channel: asyncapi.DescribedChannel) -> None:
    DECODERS[channel.name](json.dumps(channel.example).encode())
    validator(channel.message.__name__).validate(channel.example)


@pytest.mark.parametrize("record", asyncapi.RECORDS, ids=lambda record: record.__name__)
def test_the_example_of_a_record_keeps_the_contract_and_shows_every_field(record: type[msgspec.Struct]) -> None:
    example = asyncapi.RECORDS[record]
    assert type(DECODERS["record"](json.dumps(example).encode())) is record
    validator("Record").validate(example)
    assert example.keys() == SCHEMAS[record.__name__]["properties"].keys()


VALID_BY_SCHEMA = [path for path in VALID if "bad_record" not in path.name]


@pytest.mark.parametrize("path", VALID_BY_SCHEMA, ids=lambda path: path.stem)
def test_the_schema_takes_what_the_contract_takes(path: Path) -> None:
    validator(schema_of(channel_of(path))).validate(json.loads(path.read_bytes()))


# What only the reader can see: the text itself, and what no schema of ours bounds.
UNSEEN = {"bad_json", "not_utf8", "nul_character"}
BY_SCHEMA = [
    path
    for path in REFUSED
    if path.name.split(".")[2] not in UNSEEN
    and "record.out_of_range.event" not in path.name
    and "nested" not in path.name
]


@pytest.mark.parametrize("path", BY_SCHEMA, ids=lambda path: path.stem)
def test_the_schema_refuses_what_the_contract_refuses(path: Path) -> None:
    assert not validator(schema_of(channel_of(path))).is_valid(json.loads(path.read_bytes()))
