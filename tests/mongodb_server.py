"""Runs the test MongoDB until standard input ends, so that it never outlives who started it.

Arguments: folder and port (0: a free one). The password of the user ``glassine`` comes from GLASSINE_TEST_PASSWORD. The
first line printed is the port. A program of its own, so that the user exists before anybody may connect without one.
"""

from __future__ import annotations

import os
import sys

from pymongo import MongoClient
from pymongo.errors import OperationFailure
from secantus.server import SecantusDBServer


def main() -> None:
    folder, port = sys.argv[1:]
    server = SecantusDBServer(
        "127.0.0.1", int(port), folder, sync_on_commit=True, cache_size="64M", enable_test_commands=False
    )
    server.start()
    with MongoClient(server.host, server.port, serverSelectionTimeoutMS=10_000) as client:
        try:
            client.admin.command(
                "createUser",
                "glassine",
                pwd=os.environ["GLASSINE_TEST_PASSWORD"],
                roles=["readWriteAnyDatabase", "dbAdminAnyDatabase"],
            )
        except OperationFailure as error:
            if error.code != 51003:  # it is there already
                raise
    server.require_auth = True
    print(server.port, flush=True)
    sys.stdin.read()
    os._exit(0)  # what was acknowledged is on disk; closing in order would take seconds


if __name__ == "__main__":
    main()
