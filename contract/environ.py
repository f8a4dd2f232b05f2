"""The environment of child processes."""

import os

# Paths of programs, certificates and temporary files; locale and time zone.
_PLAIN = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TZDIR", "TMPDIR", "VIRTUAL_ENV"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
)
_PREFIXES = ("LC_", "LD_", "PYTHON", "MALLOC_")


def bare_environ() -> dict[str, str]:
    """The variables that any program needs; without settings of Milepost or libpq, and without secrets."""
    return {name: value for name, value in os.environ.items() if name in _PLAIN or name.startswith(_PREFIXES)}
