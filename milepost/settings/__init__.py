"""The settings of every command: `Settings` has their values, `TABLE` describes them, `load` reads them.

A setting `http_port` is the environment variable ``MILEPOST_HTTP_PORT``. The value of a secret may also stand in a
file; the variable with ``_FILE`` at its end then names that file. `docs/settings.md` is written from the table.
"""

from milepost.settings.reading import ORDERED, UnsetError, load, require, secret_in, to_environ, unknown
from milepost.settings.table import LINGER, PARTITIONS, PREFIX, TABLE, Setting, Settings
from milepost.settings.values import Secret

__all__ = [
    "LINGER",
    "ORDERED",
    "PARTITIONS",
    "PREFIX",
    "TABLE",
    "Secret",
    "Setting",
    "Settings",
    "UnsetError",
    "load",
    "require",
    "secret_in",
    "to_environ",
    "unknown",
]
