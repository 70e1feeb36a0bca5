"""``make api-test``: many generated requests to every described route, on both storages, with a summary.

The same run as in ``tests/openapi``, with more random content and another seed each time unless one is given.
"""

from __future__ import annotations

import argparse
import logging
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backend.storage.mongo import open_mongo
from tests.backend.conftest import Running, serving_storage
from tests.mongodb import mongo_server, with_database
from tests.openapi.conftest import DESCRIBED, serving_empty
from tests.openapi.driving import NEVER_GOOD, Outcome, document_of, operations_of, run


@contextmanager
def serving_mongo(folder: Path) -> Iterator[Running]:
    """A server of the present dialect over a MongoDB of its own."""
    with mongo_server(folder) as mongo:
        storage = open_mongo(with_database(mongo.uri, "glassine_api_test"))
        with serving_storage(storage, DESCRIBED) as running:
            yield running


def summary(title: str, outcome: Outcome, operations: int, seconds: float) -> str:
    """What a run found, in lines."""
    statuses = sum(outcome.statuses.values(), Counter())
    lines = [
        f"{title}: {len(outcome.statuses)} of {operations} operations, {outcome.requests} requests, {seconds:.0f} s",
        "  answers: " + ", ".join(f"{status} x {count}" for status, count in sorted(statuses.items())),
        "  checks:  " + ", ".join(f"{name} x {count}" for name, count in sorted(outcome.checks.items())),
        f"  never got behind a refusal: {', '.join(sorted(outcome.unreached - NEVER_GOOD)) or 'none'}",
        f"  problems: {len(outcome.problems) or 'none'}",
    ]
    return "\n".join([*lines, *outcome.problems[:50]])


def main() -> int:
    """Run everything; 1 when something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=40, help="requests of random content for each operation")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32), help="of what is generated")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)  # refusals are logged by the thousand
    print(f"seed {options.seed}, {options.examples} random requests for each operation", flush=True)
    wrong = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for title, dialect, server in (
            ("embedded", "", serving_empty(folder / "present", "")),
            ("embedded, earlier dialect", "2022-01", serving_empty(folder / "earlier", "2022-01")),
            ("MongoDB", "", serving_mongo(folder)),
        ):
            with server as running:
                begun = time.monotonic()
                outcome = run(running.base, dialect=dialect, examples=options.examples, seed=options.seed)
                operations = operations_of(document_of(running.base))
                print(summary(title, outcome, len(operations), time.monotonic() - begun), flush=True)
                wrong += len(outcome.problems) + len(operations - outcome.statuses.keys())
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
