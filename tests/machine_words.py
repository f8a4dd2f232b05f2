"""Which machine words the code can produce, and where it has tables of words: read from its own source."""

import ast
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = (
    "access",
    "agents", "alerting", "api", "audit", "broker", "contract", "grafana", "ingest", "milepost", "registry", "store",
)  # fmt: skip
Found = dict[str, set[str]]
"""{word: places}"""


@cache
def sources(*rooms: str) -> Mapping[str, ast.Module]:
    """The modules of some rooms, by path from the root; they are not changed."""
    paths = sorted(path for room in rooms for path in (ROOT / room).rglob("*.py"))
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


class Flow:
    """What text can come into the places of a room that have one of some names: parameters and keywords of calls,
    fields, variables and keys of dicts. Follows constants, variables of a function, and what functions return."""

    def __init__(self, room: str, names: Iterable[str], *, ignoring: Iterable[str] = ()) -> None:
        self._names = frozenset(names)
        self._ignoring = frozenset(ignoring)
        self._modules = {path.removesuffix(".py").replace("/", "."): tree for path, tree in sources(room).items()}
        self._constants = {name: _constants(tree) for name, tree in self._modules.items()}
        self._members = {member: {word} for member, word in _members(sources("contract")["contract/kinds.py"])}
        self._places: dict[str, set[int]] = defaultdict(set)
        self._returns: dict[str, list[tuple[str, ast.AST]]] = defaultdict(list)
        for name, tree in self._modules.items():
            self._note_definitions(name, tree)

    def words(self) -> Found:
        found: Found = defaultdict(set)
        for module, tree in self._modules.items():
            for scope in _scopes(tree):
                for node in _own_nodes(scope):
                    for value in self._values(node):
                        for word in self._strings(value, module, scope, 0):
                            found[word].add(f"{module}:{value.lineno}")
        return found

    def keys(self) -> set[str]:
        """The names in the dicts that come into these places, or are put into them."""
        return {
            key
            for module, tree in self._modules.items()
            for scope in _scopes(tree)
            for node in _own_nodes(scope)
            for value in (*self._values(node), *(v for target, v in _assigned(node) if target in self._names))
            for key in _keys(value)
        }

    def _note_definitions(self, module: str, tree: ast.Module) -> None:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                arguments = [one.arg for one in (*node.args.posonlyargs, *node.args.args)]
                shift = int(bool(arguments) and arguments[0] in ("self", "cls"))
                self._places[node.name] |= {arguments.index(n) - shift for n in self._names if n in arguments}
                self._returns[node.name].append((module, node))
            elif isinstance(node, ast.ClassDef):
                fields = [one.target.id for one in node.body if _is_field(one)]  # type: ignore[attr-defined]
                self._places[node.name] |= {fields.index(n) for n in self._names if n in fields}

    def _values(self, node: ast.AST) -> Iterator[ast.expr]:
        """The expressions that go into a place of ours here."""
        if isinstance(node, ast.Call) and _called(node) not in self._ignoring:
            yield from (keyword.value for keyword in node.keywords if keyword.arg in self._names)
            yield from (node.args[n] for n in self._places.get(_called(node), ()) if 0 <= n < len(node.args))
        elif isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            yield from (value for key, value in pairs if isinstance(key, ast.Constant) and key.value in self._names)

    def _strings(self, value: ast.AST, module: str, scope: ast.AST, depth: int) -> Iterator[str]:
        if depth > 5:
            return
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.value
        elif isinstance(value, ast.JoinedStr):
            yield ast.unparse(value)
        elif isinstance(value, ast.Name):
            yield from self._named(value.id, module, scope, depth)
        elif isinstance(value, ast.Attribute) and isinstance(value.value, ast.Name):
            yield from self._members.get((value.value.id, value.attr), ())
        elif isinstance(value, ast.IfExp | ast.BoolOp):
            for part in (value.body, value.orelse) if isinstance(value, ast.IfExp) else value.values:
                yield from self._strings(part, module, scope, depth)
        elif isinstance(value, ast.Call):
            yield from self._answered(_called(value), depth)

    def _answered(self, name: str, depth: int) -> Iterator[str]:
        for home, function in self._returns.get(name, ()):
            for node in _own_nodes(function):
                if isinstance(node, ast.Return) and node.value is not None:
                    yield from self._strings(node.value, home, function, depth + 1)

    def _named(self, name: str, module: str, scope: ast.AST, depth: int) -> Iterator[str]:
        for node in _own_nodes(scope):
            for target, value in _assigned(node):
                if target == name:
                    yield from self._strings(value, module, scope, depth + 1)
        constant = self._constants[module].get(name)
        if isinstance(constant, str):
            yield constant
        elif isinstance(constant, tuple):
            found = self._constants.get(constant[0], {}).get(constant[1])
            if isinstance(found, str):
                yield found


def _constants(tree: ast.Module) -> dict[str, str | tuple[str, str]]:
    """A module's constants of text by name; of an imported one (module, name)."""
    found: dict[str, str | tuple[str, str]] = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {one.asname or one.name: (node.module, one.name) for one in node.names}
        for target, value in _assigned(node):
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                found[target] = value.value
    return found


def _members(tree: ast.Module) -> Iterator[tuple[tuple[str, str], str]]:
    """((class, member), text) of the enumerations of texts in a module."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and any(getattr(base, "id", "") == "StrEnum" for base in node.bases):
            for one in node.body:
                for name, value in _assigned(one):
                    if isinstance(value, ast.Constant) and isinstance(value.value, str):
                        yield (node.name, name), value.value


def _assigned(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """(name, value) of an assignment; of a pair to a pair each."""
    if isinstance(node, ast.AnnAssign) and node.value is not None and isinstance(node.target, ast.Name):
        yield node.target.id, node.value
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Name):
                yield target.id, node.value
            elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = zip(target.elts, node.value.elts, strict=True)
                yield from ((one.id, value) for one, value in pairs if isinstance(one, ast.Name))


def _keys(value: ast.expr) -> Iterator[str]:
    """The names of a dict, also of one that is merged of several."""
    if isinstance(value, ast.BinOp):
        yield from (*_keys(value.left), *_keys(value.right))
    elif isinstance(value, ast.IfExp):
        yield from (*_keys(value.body), *_keys(value.orelse))
    elif isinstance(value, ast.Dict):
        yield from (key.value for key in value.keys if isinstance(key, ast.Constant))


def _scopes(tree: ast.Module) -> Iterator[ast.AST]:
    yield tree
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a scope without those of functions within it."""
    for node in ast.iter_child_nodes(scope):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
            yield from _own_nodes(node)


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _is_field(node: ast.AST) -> bool:
    return isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)


def tables(tree: ast.AST) -> Iterator[tuple[int, dict[str, list[str]]]]:
    """Every dict, call with keywords, list of pairs and class body that gives names to texts: its line, and by name the
    texts in its value."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            yield node.lineno, _by_name(zip(node.keys, node.values, strict=True))
        elif isinstance(node, ast.Call) and node.keywords:
            yield node.lineno, {one.arg: _texts(one.value) for one in node.keywords if one.arg}
        elif isinstance(node, ast.List | ast.Tuple | ast.Set):
            pairs = [one.elts for one in node.elts if isinstance(one, ast.Tuple) and len(one.elts) > 1]
            yield node.lineno, _by_name((pair[0], ast.Tuple(pair[1:])) for pair in pairs)
        elif isinstance(node, ast.ClassDef):
            named = [pair for one in node.body for pair in _assigned(one)]
            yield node.lineno, {name.lower(): _texts(value) for name, value in named}


def _by_name(pairs: Iterable[tuple[ast.expr | None, ast.expr]]) -> dict[str, list[str]]:
    """By name, which may be a constant of text or of an enumeration: ``Kind.DARK``."""
    found = {}
    for key, value in pairs:
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            found[key.value.rpartition(".")[2]] = _texts(value)
        elif isinstance(key, ast.Attribute | ast.Name):
            found[(key.attr if isinstance(key, ast.Attribute) else key.id).lower()] = _texts(value)
    return found


def _texts(value: ast.expr) -> list[str]:
    """The texts of a value that is one, several, or one in both languages."""
    if isinstance(value, ast.Constant):
        return [value.value] if isinstance(value.value, str) else []
    if isinstance(value, ast.Tuple | ast.List):
        return [text for one in value.elts for text in _texts(one)]
    if isinstance(value, ast.Call) and _called(value) == "Said":
        return [text for one in (*value.args, *(word.value for word in value.keywords)) for text in _texts(one)]
    return []


def second_tables(tree: ast.AST, words: Mapping[str, Collection[str]]) -> list[tuple[int, str, list[str]]]:
    """(line, family, names) of every table that says again what at least three words of a family mean, or all of a
    smaller one. `words`: the names of each family."""
    found = []
    names = frozenset[str]().union(*words.values())
    for line, table in tables(tree):
        told = [name for name, texts in table.items() if name in names and any(map(_is_for_people, texts))]
        for family, its in words.items() if told else ():
            again = [name for name in told if name in its]
            if len(again) >= min(3, len(its)):
                found.append((line, family, again))
    return found


def _is_for_people(text: str) -> bool:
    """Whether a text is a word for people: Chinese, or English that is no machine's word. Sentences with places to be
    filled are no words."""
    if "{" in text:
        return False
    english = text[:1].isupper() and text[1:].replace(" ", "").islower()
    return english or any("\u4e00" <= sign <= "\u9fff" for sign in text)
