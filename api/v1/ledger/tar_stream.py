"""A tar archive piece by piece (POSIX ustar), so that nothing waits for its end. Pure."""

import tarfile
from typing import Final

END: Final = bytes(2 * tarfile.BLOCKSIZE)
"""What ends an archive."""


def member(folder: str, name: str, body: bytes, at: int) -> bytes:
    """One file of an archive; `at`: its time in whole seconds since the epoch."""
    entry = tarfile.TarInfo(f"{folder}/{name}")
    entry.size, entry.mtime, entry.mode = len(body), at, 0o644
    return entry.tobuf(tarfile.USTAR_FORMAT) + body + bytes(-len(body) % tarfile.BLOCKSIZE)
