"""What tests have from npm: a folder's package.json pins it, and it is installed there once, by the first test that
wants it. Nothing of it is committed or shipped."""

import fcntl
import shutil
import subprocess
from pathlib import Path

import pytest

INSTALL_SECONDS = 120


def install(folder: Path) -> None:
    """Install what package.json of a folder of tests pins, unless it is there; of several test runs at once one does.
    Where that cannot be, the test is skipped with the reason."""
    where = f"tests/{folder.name}"
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip(f"npm is missing, which installs what {where} names: install the packages nodejs and npm")
    manifest = folder / "package.json"
    stamp = folder / "node_modules" / ".installed"
    with manifest.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == manifest.read_text():
            return
        try:
            result = subprocess.run(
                [npm, "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"],
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=INSTALL_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            pytest.skip(f"npm installed nothing in {INSTALL_SECONDS} s: run `npm install` in {where}")
        if result.returncode != 0:
            why = result.stderr.strip().splitlines()[-1:]
            pytest.skip(f"npm cannot install what {where} names ({why}): run `npm install` there")
        stamp.write_text(manifest.read_text())
