"""Names of types in /openapi.json that are kept when a class of ours gets another name. Pure."""

import re
from collections.abc import Mapping
from typing import Any

_REF = "#/components/schemas/"


def with_published_names(document: dict[str, Any], published: Mapping[str, str]) -> dict[str, Any]:
    """The OpenAPI document with the types named as published; `published`: by the name of the class, also
    where the class stands in the name of a generic type (`Listing_StationDocument_`)."""
    if not published:
        return document
    pattern = re.compile(rf"(?<![A-Za-z])({'|'.join(map(re.escape, published))})(?![A-Za-z])")

    def name(text: str) -> str:
        return pattern.sub(lambda match: published[match[1]], text)

    def renamed(node: Any) -> Any:
        if isinstance(node, list):
            return [renamed(one) for one in node]
        if isinstance(node, dict):
            return {key: renamed(value) for key, value in node.items()}
        return _REF + name(node.removeprefix(_REF)) if isinstance(node, str) and node.startswith(_REF) else node

    found: dict[str, Any] = renamed(document)
    schemas = found.get("components", {}).get("schemas", {})
    for schema in schemas.values():
        if "title" in schema:
            schema["title"] = name(schema["title"])
    if schemas:
        found["components"]["schemas"] = dict(sorted((name(key), schema) for key, schema in schemas.items()))
    return found
