"""Keep a library from loading what it hardly ever uses: memory is scarce where the agent runs."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType


@contextmanager
def deferred(package: str, child: str) -> Iterator[None]:
    """Within the block, importing `package.child` gives a stand-in that loads the module when it is first used.

    After it everybody else imports the module as ever. Nothing happens where it is loaded already.
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
