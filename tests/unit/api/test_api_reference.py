"""/openapi.json: every route has a summary, a tag, a description, and examples that its own schema takes."""

import html
import json
import re
import shlex
from typing import Any
from unittest.mock import MagicMock

import jsonschema
import pytest

from api.app import create_app
from api.console.pages import render
from api.console.texts import Words
from api.http import problems
from api.http.openapi import describe
from api.v1 import reference

DOCUMENT: dict[str, Any] = create_app(MagicMock()).openapi()
ROUTES = [
    pytest.param(path, method, route, id=f"{method} {path}")
    for path, methods in DOCUMENT["paths"].items()
    for method, route in methods.items()
]


def strict(node: Any) -> Any:
    """The schema, in which an object has no field that it does not name."""
    if isinstance(node, list):
        return [strict(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    closed = {key: strict(inner) for key, inner in node.items()}
    if "properties" in node and "additionalProperties" not in node:
        closed["additionalProperties"] = False
    return closed


CLOSED = {**DOCUMENT, "components": strict(DOCUMENT["components"])}


@pytest.mark.parametrize(("path", "method", "route"), ROUTES)
def test_every_route_is_described(path: str, method: str, route: dict[str, Any]) -> None:
    operation = reference.OPERATIONS[route["operationId"]]
    assert route["summary"] == operation.summary
    assert len(route["description"]) > 10
    (tag,) = route["tags"]
    assert tag in [known["name"] for known in reference.TAGS]
    for parameter in route.get("parameters", []):
        assert parameter.get("description"), parameter["name"]


@pytest.mark.parametrize(("path", "method", "route"), ROUTES)
def test_every_example_keeps_its_schema(path: str, method: str, route: dict[str, Any]) -> None:
    good = {status: answer for status, answer in route["responses"].items() if status.startswith("2")}
    assert len(good) == 1
    parts = [*good.values(), *([route["requestBody"]] if "requestBody" in route else [])]
    for part in parts:
        for media in part["content"].values():
            jsonschema.Draft202012Validator({**CLOSED, **media.get("schema", {})}).validate(media["example"])


def test_no_operation_is_described_that_is_not_there() -> None:
    assert {route["operationId"] for methods in DOCUMENT["paths"].values() for route in methods.values()} == set(
        reference.OPERATIONS
    )
    used = {tag for methods in DOCUMENT["paths"].values() for route in methods.values() for tag in route["tags"]}
    assert used == {tag["name"] for tag in reference.TAGS}


def test_an_example_that_does_not_fit_would_be_noticed() -> None:
    schema = {**CLOSED, "$ref": "#/components/schemas/Station"}
    station = reference.OPERATIONS["get_station"].answer
    jsonschema.Draft202012Validator(schema).validate(station)
    for wrong in ({**station, "verdict": "fine"}, {**station, "colour": "red"}, {"id": "x"}):
        assert not jsonschema.Draft202012Validator(schema).is_valid(wrong)


def test_the_example_of_an_error_is_what_the_api_answers() -> None:
    answer = problems.problem_response(
        problems.Problem(404, str(reference.PROBLEM["detail"])), str(reference.PROBLEM["instance"])
    )
    assert json.loads(bytes(answer.body)) == reference.PROBLEM


PAGE = render("docs.html", {"words": Words("en"), "made_up": None, **describe(DOCUMENT)})


def test_the_page_has_a_table_of_contents_that_leads_to_every_route() -> None:
    ids = re.findall(r'id="([^"]+)"', PAGE)
    assert len(ids) == len(set(ids))
    links = re.findall(r'href="#([^"]+)"', PAGE)
    assert set(links) <= set(ids)
    contents = PAGE.partition('aria-label="Contents"')[2].partition("</nav>")[0]
    assert {*reference.OPERATIONS, "errors", "shapes"} <= set(re.findall(r'href="#([^"]+)"', contents))
    for operation in reference.OPERATIONS.values():
        assert html.escape(operation.summary, quote=False) in html.unescape(contents)


@pytest.mark.parametrize(
    "shown", [operation for group in describe(DOCUMENT)["groups"] for operation in group["operations"]]
)
def test_every_request_is_shown_as_a_command_and_every_answer_as_it_comes(shown: dict[str, Any]) -> None:
    words = shlex.split(shown["curl"])
    assert words[0] == "curl"
    assert re.fullmatch(r"\$URL/[a-z0-9/-]+", words[-1]), "a path whose parameters have values"
    assert bool({"-d", "--data-binary"} & set(words)) == bool(shown["body"])
    if "-d" in words:
        assert json.loads(words[words.index("-d") + 1]) == reference.OPERATIONS[shown["id"]].body
    assert shown["curl"] in html.unescape(PAGE)
    assert shown["example"] in html.unescape(PAGE)
