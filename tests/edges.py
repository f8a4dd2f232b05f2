"""The edges of every message of the contract, made from its types, so that a new field is covered by itself.

`edges` gives the values at which a type ends or turns; `shapes` the messages of a Struct: each field at each of its
edges, with the optional ones absent and with all of them present, and every combination of present and absent.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, combinations, cycle, islice
from typing import Any, Final

import msgspec

NOW: Final = 1_795_000_000_000
"""ms: when the messages are received."""
TEXTS: Final = (
    "a",
    "é" * 3,
    "\U0001f4a3\U0010ffff",
    "\u202egnitirw\u202c\u200b\u200f\ufeff",  # other directions, and signs that nobody sees
    "\u0001\x1e\x1f\x7f\u0085\u2028",
    "<script>alert(1)</script>'\"&amp;{{x}}{0}%s\\",
    "null",
    "=cmd|' /C calc'!A0",
    "a/../../b#+$",
    "-Infinity",
)
MOMENTS: Final = (NOW, NOW - 60_000, NOW + 60_000, NOW - 10**10, 0, -1, 4_102_444_800_000, 253_402_300_799_999)
"""Device times, ms: around now, far off, at the edge of what calendars know."""
INTEGERS: Final = (0, 1, -1, 255, 2**31 - 1, 2**31, 2**53, 2**53 + 1, 2**63 - 1, -(2**63), 5 * 10**18)
FLOATS: Final = (0.0, -0.0, 5e-324, 1e-300, 0.1, 0.5, 1.0, 60.0, 3600.0, 1e9, 1e12, 1e15, -1e15, 3.5e38)
_DEEPEST: Final = 30


def edges(kind: Any, name: str = "") -> list[Any]:
    """Values at which a type of the contract ends or turns."""
    return list(_unique(_edges(msgspec.inspect.type_info(kind), name)))


def _edges(kind: Any, name: str) -> Iterable[Any]:
    of = _EDGES.get(type(kind))
    if of is None:
        raise TypeError(f"{name}: say in tests/edges.py what the edges of {kind} are")
    found: Iterable[Any] = of(kind)
    return found


def _integers(kind: msgspec.inspect.IntType) -> Iterator[int]:
    least, most = _or(kind.ge, -(2**63)), _or(kind.le, 2**63 - 1)
    numbers = (least, least + 1, most, most - 1, *INTEGERS, *MOMENTS)
    return (number for number in numbers if least <= number <= most)


def _floats(kind: msgspec.inspect.FloatType) -> Iterator[float]:
    low, high = _or(kind.ge, -1e300), _or(kind.le, 1e300)
    return (number for number in (low, high, *FLOATS) if low <= number <= high)


def _or(limit: float | None, otherwise: Any) -> Any:
    return otherwise if limit is None else limit


def _texts(kind: msgspec.inspect.StrType) -> Iterator[str]:
    least, longest = kind.min_length or 0, kind.max_length or 200
    texts = ("", *TEXTS, *(sign * longest for sign in ("x", "\U0001f4a3", "\x01", "\u202e", '"')))
    yield from (text for text in texts if least <= len(text) <= longest)


def _dicts(kind: msgspec.inspect.DictType) -> Iterator[dict[Any, Any]]:
    keys, values = list(_edges(kind.key_type, "key")), list(_edges(kind.value_type, "value"))
    yield {}
    yield dict(zip(keys, cycle(values)))
    yield dict(zip(keys, cycle(reversed(values))))
    yield {f"n{number}": value for number, value in zip(range(kind.max_length or 64), cycle(values))}


def _lists(kind: msgspec.inspect.ListType) -> Iterator[list[Any]]:
    items = list(_edges(kind.item_type, "item"))
    yield []
    yield from ([item] for item in items)
    yield items
    yield items + items[::-1]
    yield list(islice(cycle(items), min(kind.max_length or 200, 200)))


def _anything() -> Iterator[Any]:
    yield from (True, False, "", *TEXTS, *INTEGERS, *FLOATS)
    deep: Any = 0
    for level in range(_DEEPEST):
        deep = [deep] if level % 2 else {"k": deep}
    yield from (deep, [], {}, [[]] * 50, {"records": 3}, {"records": -1}, {"records": "many"}, {"records": True})
    yield {text: [text, None] for text in ("", *TEXTS)}


def shapes(struct: type[msgspec.Struct], *, most: int | None = None, **fixed: Any) -> Iterator[Any]:
    """Messages of a Struct as plain values: `fixed` fields as given, all others at their edges."""
    found = _shapes(struct, fixed)
    yield from found if most is None else _spread(list(found), most)


def _spread(values: list[Any], most: int) -> list[Any]:
    step = max(1, len(values) // most)
    return values[::step]


def _shapes(struct: type[msgspec.Struct], fixed: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    info = msgspec.inspect.type_info(struct)
    assert isinstance(info, msgspec.inspect.StructType)
    tag = {info.tag_field: info.tag} if info.tag_field else {}
    fields = {f.encode_name: edges_of(f) for f in info.fields if f.name not in fixed}
    required = {f.encode_name for f in info.fields if f.required and f.name not in fixed}
    plain = {name: found[0] for name, found in fields.items() if name in required}
    whole = {name: found[0] for name, found in fields.items()}
    for name, found in fields.items():
        for value in found:
            yield {**tag, **fixed, **plain, name: value}
            yield {**tag, **fixed, **whole, name: value}
    optional = [name for name in fields if name not in required]
    turns = {name: cycle(found) for name, found in fields.items()}
    for present in chain.from_iterable(combinations(optional, size) for size in range(len(optional) + 1)):
        names = (*required, *present)
        yield {**tag, **fixed, **{name: next(turns[name]) for name in names}}


_EDGES: Final[Mapping[type, Callable[[Any], Iterable[Any]]]] = {
    msgspec.inspect.BoolType: lambda _: (True, False),
    msgspec.inspect.LiteralType: lambda kind: kind.values,
    msgspec.inspect.IntType: _integers,
    msgspec.inspect.FloatType: _floats,
    msgspec.inspect.StrType: _texts,
    msgspec.inspect.DictType: _dicts,
    msgspec.inspect.ListType: _lists,
    msgspec.inspect.UnionType: lambda kind: chain.from_iterable(_edges(each, "") for each in kind.types),
    msgspec.inspect.StructType: lambda kind: shapes(kind.cls, most=12),
    msgspec.inspect.AnyType: lambda _: _anything(),
    msgspec.inspect.NoneType: lambda _: (),
    msgspec.inspect.RawType: lambda _: (),
    # What a field means stands around its type, and changes no edge.
    msgspec.inspect.Metadata: lambda kind: _edges(kind.type, ""),
}


def edges_of(field: msgspec.inspect.Field) -> list[Any]:
    return list(_unique(_edges(field.type, field.name)))


def _unique(values: Iterable[Any]) -> Iterator[Any]:
    seen: set[bytes] = set()
    for value in values:
        text = msgspec.json.encode(value)
        if text not in seen:
            seen.add(text)
            yield value
