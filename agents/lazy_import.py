"""Keeps a library from loading modules that it rarely uses: the agent runs where memory is scarce."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType


@contextmanager
def import_lazily(package: str, child: str) -> Iterator[None]:
    """Within the block, importing `package.child` gives a stand-in, which loads the module at its first use.

    After the block the module is imported as usual. If it is loaded already, nothing changes.
    """
    name = f"{package}.{child}"
    if name in sys.modules:
        yield
        return
    stand_in = ModuleType(name)
    vars(stand_in)["__getattr__"] = lambda attribute: getattr(import_module(name), attribute)
    sys.modules[name] = stand_in
    setattr(import_module(package), child, stand_in)
    try:
        yield
    finally:
        if sys.modules.get(name) is stand_in:
            del sys.modules[name]
