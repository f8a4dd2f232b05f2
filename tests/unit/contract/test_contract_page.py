"""docs/contract.md: written from the code, complete, and in words for every field."""

import json
import re
from typing import Any

import pytest

from contract import asyncapi, refusal
from contract.glossary import WORDS
from contract.reference import EXAMPLE, PAGE, render, shape_of

SCHEMAS: dict[str, Any] = asyncapi.document()["components"]["schemas"]
FIELDS = [(name, field) for name, schema in SCHEMAS.items() for field in schema.get("properties", {})]
COUNTS = {"run", "conn", "n", "users", "id", "sessions", "rev", "installed"}


def numbers(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in schema.get("anyOf", [schema]) if one.get("type") in ("integer", "number")]


def test_the_page_is_what_the_code_says() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == render(page, EXAMPLE.read_text(encoding="utf-8")), "run: python -m contract.reference"


def test_the_page_has_every_message_and_record() -> None:
    parts = set(re.findall(r"<!-- (\w+) -->", PAGE.read_text(encoding="utf-8"))) - {"end"}
    assert parts == {*SCHEMAS, "channels", "limits", "refusals", "agent"}


@pytest.mark.parametrize(("schema", "field"), FIELDS, ids=[f"{schema}.{field}" for schema, field in FIELDS])
def test_every_field_is_described_and_has_bounds_and_unit(schema: str, field: str) -> None:
    found = SCHEMAS[schema]["properties"][field]
    assert len(found["description"]) > 5
    for number in numbers(found):
        assert {"minimum", "maximum"} <= number.keys()
        assert ("x-unit" in number) != (field in COUNTS), "a number has a unit, or it counts something"


def test_every_reason_of_a_refusal_is_explained() -> None:
    assert set(refusal.Reason) <= WORDS["deadletter"].keys()


def test_a_wrong_table_would_be_noticed() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert "integer 0 to 2⁶³ − 1" in page
    assert render(page.replace("number 1 to 3600", "number 1 to 7200"), EXAMPLE.read_text(encoding="utf-8")) == page


def test_the_example_is_shown_whole() -> None:
    example = EXAMPLE.read_text(encoding="utf-8")
    assert example in PAGE.read_text(encoding="utf-8")
    assert len([line for line in example.splitlines() if line.strip()]) <= 75


@pytest.mark.parametrize(
    ("schema", "shown"),
    [
        ({"type": "integer", "minimum": 0, "maximum": 2**63 - 1}, "integer 0 to 2⁶³ − 1"),
        ({"type": "number", "minimum": 0, "maximum": 1e12, "x-unit": "seconds"}, "number 0 to 10¹², seconds"),
        ({"anyOf": [{"type": "boolean"}, {"type": "null"}]}, "`true` or `false`"),
        ({"type": "string"}, "text"),
        (
            {"type": "object", "additionalProperties": {"type": "boolean"}, "maxProperties": 4},
            "object of `true` or `false`, at most 4",
        ),
        ({}, "anything"),
    ],
    ids=json.dumps,
)
def test_a_schema_in_a_few_words(schema: dict[str, Any], shown: str) -> None:
    assert shape_of(schema) == shown
