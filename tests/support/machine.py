"""`python -m tests.support.machine`: prepare this machine for the tests, and say what they will use."""

import os
import sys

from tests.support.chromium import ChromiumMissingError, ensure_chromium
from tests.support.postgres import PostgresMissingError, find_binaries


def main() -> int:
    """Find or install the browser and PostgreSQL. Returns 1, with a message on stderr, if that failed."""
    try:
        print(f"Browser: {ensure_chromium()}")
        given = os.environ.get("TEST_DATABASE_URL")
        print("PostgreSQL: TEST_DATABASE_URL" if given else f"PostgreSQL: {find_binaries()}")
    except (ChromiumMissingError, PostgresMissingError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
