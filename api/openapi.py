"""The OpenAPI document as a page: what docs.html shows of it. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]


def describe(document: Json) -> dict[str, Any]:
    """`api`, `operations` and `shapes` for the template."""
    schemas: Json = document.get("components", {}).get("schemas", {})
    return {
        "api": document,
        "operations": list(_operations(document)),
        "shapes": [_shape(name, schema) for name, schema in sorted(schemas.items())],
    }


def _operations(document: Json) -> Iterator[dict[str, Any]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield {
                "id": operation["operationId"],
                "method": method.upper(),
                "path": path,
                "description": operation.get("description", "").split("\n\n"),
                "parameters": [_parameter(parameter) for parameter in operation.get("parameters", [])],
                "body": _content(operation.get("requestBody", {})),
                "answer": _content(operation["responses"].get("200", {})),
            }


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
    if "minimum" in schema and "maximum" in schema:
        words.append(f"{schema['minimum']}..{schema['maximum']}")
    if "default" in schema:
        words.append(f"(default {schema['default']})")
    return " ".join(words)
