"""Uploads a blob for ever, so that a test can kill it. Argument: the address of the database."""

from __future__ import annotations

import os
import sys

from backend.storage.mongo import open_mongo
from backend.storage.mongo_blobs import CHUNK


def main() -> None:
    storage = open_mongo(sys.argv[1])
    with storage.write_blob() as blob:
        for number in range(10_000):
            blob.write(os.urandom(CHUNK))
            if number == 2:
                print("uploading", flush=True)


if __name__ == "__main__":
    main()
