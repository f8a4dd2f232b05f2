"""What a child process is given of our environment."""

import os

# Where programs, certificates and temporary files are, and how text and time are written.
_PLAIN = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TZDIR", "TMPDIR", "VIRTUAL_ENV"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
)
_PREFIXES = ("LC_", "LD_", "PYTHON", "MALLOC_")


def bare_environ() -> dict[str, str]:
    """What any program needs of our environment: no settings, ours or libpq's, and no secret of another program."""
    return {name: value for name, value in os.environ.items() if name in _PLAIN or name.startswith(_PREFIXES)}
