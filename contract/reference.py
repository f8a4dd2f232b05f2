"""Generate the tables of docs/contract.md (channels, fields, limits, refusals) and insert the example agent.

`python -m contract.reference` writes them into the document; a test compares the document with the code.

A part stands between `<!-- NAME -->` and `<!-- end -->`; NAME is that of a schema, or one of `channels`, `limits`,
`refusals` and `agent`.
"""

import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

from contract import asyncapi, codec, messages, refusal
from contract.glossary import WORDS

DOCS: Final = Path(__file__).resolve().parent.parent / "docs"
PAGE: Final = DOCS / "contract.md"
EXAMPLE: Final = DOCS / "examples" / "agent.py"
_PART: Final = re.compile(r"(?P<begin><!-- (?P<name>\w+) -->\n)(?:.*?\n)??(?P<end><!-- end -->)", re.DOTALL)
_POWERS: Final = {
    2**63 - 1: "2⁶³ − 1",
    2**63 - 2: "2⁶³ − 2",
    -(2**63): "−2⁶³",
    10**15: "10¹⁵",
    -(10**15): "−10¹⁵",
    10**12: "10¹²",
    10**9: "10⁹",
}
_OF_RECORDS: Final = ("kind", "id", "at", "up")

Schema = dict[str, Any]
_LIMITS: Final = (
    ("payload of a message", f"{messages.MAX_PAYLOAD:,} bytes", "refused (`too_large`)"),
    (
        "data message",
        f"{messages.MAX_RECORDS} records, {messages.MAX_DATA_BYTES:,} bytes",
        "the limit for agents; a message of thousands of records is refused",
    ),
    (
        "terminals of a station",
        f"{messages.MOST_TERMINALS} (`MILEPOST_STATION_TERMINALS`)",
        "refused and not acknowledged (`too_many_terminals`)",
    ),
    ("depth of `detail` and `result`", f"{codec.MAX_DEPTH} levels", "refused (`out_of_range`)"),
)


def render(page: str, example: str) -> str:
    """The page with its generated parts replaced. Raises KeyError for an unknown part."""
    schemas = asyncapi.document()["components"]["schemas"]
    examples = {channel.message.__name__: channel.example for channel in asyncapi.CHANNELS}
    kinds = {record.__name__: example for record, example in asyncapi.RECORDS.items()}
    parts = {
        name: _fields(schema, without=_OF_RECORDS if name in kinds else ()) + _example(examples | kinds, name)
        for name, schema in schemas.items()
        if "properties" in schema
    }
    parts |= {
        "Record": _fields(schemas["Event"], without=("name", "detail")),
        "channels": _channels(),
        "limits": _table(("what", "limit", "beyond it"), _LIMITS),
        "refusals": _refusals(),
        "agent": f"```python\n{example}```",
    }
    return _PART.sub(lambda part: part["begin"] + parts[part["name"]] + "\n" + part["end"], page)


def _refusals() -> str:
    return _table(("reason", "what is wrong"), ((f"`{why}`", WORDS["deadletter"][why].en) for why in refusal.Reason))


def _example(examples: Mapping[str, Schema], name: str) -> str:
    return f"\n\n```json\n{json.dumps(examples[name], ensure_ascii=False)}\n```" if name in examples else ""


def _channels() -> str:
    rows = (
        (
            f"`{channel.name}`",
            "from the terminal" if channel.up else "to the terminal",
            str(channel.qos),
            "yes" if channel.retain else "no",
            channel.summary,
        )
        for channel in asyncapi.CHANNELS
    )
    return _table(("channel", "direction", "QoS", "retained", "what"), rows)


def _fields(schema: Schema, *, without: Collection[str] = ()) -> str:
    needed = schema.get("required", [])
    rows = (
        (f"`{name}`", "yes" if name in needed else "", shape_of(field), field.get("description", ""))
        for name, field in schema["properties"].items()
        if name not in without
    )
    return _table(("field", "required", "value", "meaning"), rows)


def shape_of(schema: Schema) -> str:
    """The type, the bounds and the unit of a field in a few words."""
    if "anyOf" in schema:
        return " or ".join(shape_of(one) for one in schema["anyOf"] if one.get("type") != "null")
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    return _SHAPES.get(schema.get("type", ""), _anything)(schema)


def _number(schema: Schema) -> str:
    kind = "integer" if schema["type"] == "integer" else "number"
    low, high, unit = schema.get("minimum"), schema.get("maximum"), schema.get("x-unit")
    text = f"{kind} {_bound(low)} to {_bound(high)}" if low is not None and high is not None else kind
    return f"{text}, {unit}" if unit else text


def _bound(value: float) -> str:
    return _POWERS.get(int(value), f"{value:g}")


def _string(schema: Schema) -> str:
    most = schema.get("maxLength")
    return f"text of {schema.get('minLength', 0)} to {most} characters" if most else "text"


def _array(schema: Schema) -> str:
    most = f", at most {schema['maxItems']}" if "maxItems" in schema and "minItems" not in schema else ""
    if "minItems" in schema:
        return f"pair of {shape_of(schema['items'])}"
    return f"list of {shape_of(schema.get('items', {}))}{most}"


def _object(schema: Schema) -> str:
    most = f", at most {schema['maxProperties']}" if "maxProperties" in schema else ""
    inner = schema.get("additionalProperties")
    return f"object of {shape_of(inner)}{most}" if isinstance(inner, dict) and inner else f"object{most}"


def _boolean(_: Schema) -> str:
    return "`true` or `false`"


def _anything(_: Schema) -> str:
    return "anything"


_SHAPES: Final = {
    "integer": _number,
    "number": _number,
    "string": _string,
    "array": _array,
    "object": _object,
    "boolean": _boolean,
}


def _table(head: tuple[str, ...], rows: Any) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


if __name__ == "__main__":
    text = render(PAGE.read_text(encoding="utf-8"), EXAMPLE.read_text(encoding="utf-8"))
    PAGE.write_text(text, encoding="utf-8")
