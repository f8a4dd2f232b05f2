"""``python -m milepost`` and the command ``milepost``."""

import os
import sys

from milepost.cli import run


def main() -> None:
    """Run the command line and end the process with its exit status."""
    sys.exit(run(sys.argv[1:], os.environ))


if __name__ == "__main__":
    main()
