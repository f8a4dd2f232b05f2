"""The OpenAPI document as a page: what docs.html shows of it. Pure."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]
_NO_LIMIT = 2**53
"""A number that is as large as numbers can be is no bound to be shown."""


def describe(document: Json) -> dict[str, Any]:
    """`api`, `groups` of operations by tag, `shapes` and an example of an `error` for the template."""
    schemas: Json = document.get("components", {}).get("schemas", {})
    operations = list(_operations(document))
    return {
        "api": document,
        "groups": [_group(tag, operations) for tag in document.get("tags", [])],
        "shapes": [_shape(name, schema) for name, schema in sorted(schemas.items())],
        "error": next((operation["error"] for operation in operations if operation["error"]), ""),
    }


def _group(tag: Json, operations: list[dict[str, Any]]) -> dict[str, Any]:
    name = tag["name"]
    return {
        "id": "tag-" + name.replace(" ", "-"),
        "name": name,
        "description": tag.get("description", ""),
        "operations": [operation for operation in operations if operation["tag"] == name],
    }


def _operations(document: Json) -> Iterator[dict[str, Any]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            status, answer = _good(operation["responses"])
            body = operation.get("requestBody", {})
            yield {
                "id": operation["operationId"],
                "tag": operation["tags"][0],
                "method": method.upper(),
                "path": path,
                "summary": operation.get("summary", ""),
                "description": operation.get("description", "").split("\n\n"),
                "parameters": [_parameter(parameter) for parameter in operation.get("parameters", [])],
                "body": _content(body),
                "curl": _curl(method.upper(), path, operation),
                "status": status,
                "answer": _content(answer),
                "example": _example(answer),
                "error": _example(operation["responses"].get("default", {})),
            }


def _good(responses: Json) -> tuple[str, Json]:
    """The answer to a request that is in order."""
    return next(((status, answer) for status, answer in responses.items() if status.startswith("2")), ("", {}))


def _curl(method: str, path: str, operation: Json) -> str:
    """A command that can be typed, with $URL and $TOKEN."""
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path" and "example" in parameter:
            path = path.replace(f"{{{parameter['name']}}}", str(parameter["example"]))
    words = ["curl"]
    words += ["-N"] if "text/event-stream" in _good(operation["responses"])[1].get("content", {}) else []
    words += ["-X POST"] if method == "POST" else []
    words += ['-H "Authorization: Bearer $TOKEN"'] if operation.get("security") else []
    if body := _body_words(operation.get("requestBody", {})):
        words += body
    words.append(f'"$URL{path}"')
    return " \\\n  ".join(words) if body else " ".join(words)


def _body_words(body: Json) -> list[str]:
    """How a command sends the body: JSON as it is, a file by its name."""
    example = _example(body)
    if not example:
        return []
    kind = next(iter(body["content"]))
    if kind == "application/json":
        return [f'-H "Content-Type: {kind}"', f"-d '{json.dumps(json.loads(example), ensure_ascii=False)}'"]
    return [f'-H "Content-Type: {kind}"', "--data-binary @photo.jpg"]


def _example(part: Json) -> str:
    """The example of a body or an answer as it is shown: JSON in lines, other text as it is."""
    for media in part.get("content", {}).values():
        if "example" in media:
            example = media["example"]
            return example if isinstance(example, str) else json.dumps(example, indent=2, ensure_ascii=False)
    return ""


def _parameter(parameter: Json) -> dict[str, Any]:
    return {
        "name": parameter["name"],
        "place": parameter["in"],
        "required": parameter.get("required", False),
        "description": parameter.get("description", ""),
        "shape": shape_of(parameter["schema"]),
    }


def _content(part: Json) -> str:
    kinds = [f"{kind} {shape_of(media.get('schema', {}))}".strip() for kind, media in part.get("content", {}).items()]
    return ", ".join(kinds)


def _shape(name: str, schema: Json) -> dict[str, Any]:
    return {
        "name": _plain(name),
        "description": schema.get("description") or shape_of(schema),
        "fields": [
            {"name": field, "shape": shape_of(its), "description": its.get("description", "")}
            for field, its in schema.get("properties", {}).items()
        ],
    }


def _plain(name: str) -> str:
    """`Listing_Station_`, as a generic type is called there, is a Listing of Station."""
    return " of ".join(name.strip("_").split("_"))


def shape_of(schema: Json) -> str:
    """A schema in one line: `string or null`, `list of Station`, `1..1000`."""
    if "$ref" in schema:
        return _plain(str(schema["$ref"]).rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(shape_of(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {shape_of(schema.get('items', {}))}"
    words = [str(schema.get("format") or schema.get("type") or "")]
    if "minimum" in schema and schema.get("maximum", _NO_LIMIT) < _NO_LIMIT:
        words.append(f"{schema['minimum']}..{schema['maximum']}")
    if "default" in schema:
        words.append(f"(default {schema['default']})")
    return " ".join(words)
