"""kill -9 of a server with two workers on MongoDB: ``python -m benchmarks.kill_server``.

Sixteen clients, each of which sends as the desktop program does, store two hundred sealed pictures in one account.
While they do, a worker is killed (gunicorn starts another), or all of gunicorn, or the database, which are started
again. In the end every picture that was acknowledged must be there with every byte, and none may be listed twice.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import queue
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.servers import Gunicorn, end_in_order, gunicorn
from desktop import errors
from desktop.client.answers import Row
from desktop.client.api import Api
from desktop.client.transport import Transport
from desktop.crypto.keys import PrivateKey
from desktop.crypto.sealed import Sealed, seal
from desktop.models import IsCancelled
from tests.mongodb import MongoServer, mongo_server, with_database

KILLS = ("worker", "gunicorn", "database")
PASSWORD = "a password for killing"
TRIES = 5
"""How often a person presses "again" when the program has given a picture up for the moment."""


@dataclass
class Outcome:
    """What happened to the pictures of one account.

    Attributes:
        wanted: SHA-256 of what was sent, by picture id.
        acknowledged: Ids, each as often as it was acknowledged.
        before: How many were acknowledged when the first kill came.
        again: Requests that were sent again by the client itself.
        given_up: Pictures that it had given up before it was asked to try again.
        killed: What was killed.
        problems: What must not be.
    """

    wanted: dict[str, str]
    acknowledged: Counter[str] = field(default_factory=Counter)
    before: int = 0
    again: int = 0
    given_up: int = 0
    killed: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class Client(Api):
    """The desktop's calls, which counts what it sends again."""

    again = 0

    def _pause(self, seconds: float, cancelled: IsCancelled) -> None:
        self.again += 1
        super()._pause(seconds, cancelled)


def make_pictures(folder: Path, key: PrivateKey, count: int, size: int) -> list[Sealed]:
    """Seal pictures of noise of about so many bytes."""
    return [
        seal(
            os.urandom(size),
            folder / f"{number}.png",
            key,
            name=f"{number}.jpg",
            media_type="image/jpeg",
            width=1,
            height=1,
            taken="",
            thumbnail=b"\xff\xd8" + os.urandom(8000) + b"\xff\xd9",
        )
        for number in range(count)
    ]


def sign_in(address: str, name: str) -> tuple[Client, str]:
    """A client of an account, and the account's id."""
    api = Client(Transport(address))
    return api, api.login(name, PASSWORD).user_id


class Storm:
    """Clients that store pictures while something is killed."""

    def __init__(self, address: str, name: str, pictures: Sequence[Sealed], clients: int) -> None:
        self._address = address
        self._name = name
        self._clients = clients
        self._left: queue.SimpleQueue[Sealed] = queue.SimpleQueue()
        for picture in pictures:
            self._left.put(picture)
        self._changed = threading.Condition()
        self.outcome = Outcome(
            {picture.picture_id: hashlib.sha256(picture.carrier.read_bytes()).hexdigest() for picture in pictures}
        )

    def run(self, kills: Sequence[tuple[int, Callable[[], str]]]) -> Outcome:
        """Store everything; each kill comes when so many pictures are acknowledged."""
        signed_in = [sign_in(self._address, self._name) for _ in range(self._clients)]
        threads = [threading.Thread(target=self._work, args=one, name="client", daemon=True) for one in signed_in]
        for thread in threads:
            thread.start()
        for after, kill in kills:
            with self._changed:
                self._changed.wait_for(lambda after=after: self._done() >= after)  # type: ignore[misc]
                if not self.outcome.killed:
                    self.outcome.before = len(self.outcome.acknowledged)
            self.outcome.killed.append(kill())
        for thread in threads:
            thread.join()
        for api, _ in signed_in:
            self.outcome.again += api.again
            api.close()
        return self.outcome

    def _done(self) -> int:
        return len(self.outcome.acknowledged) + len(self.outcome.problems)

    def _work(self, api: Client, user_id: str) -> None:
        while True:
            try:
                picture = self._left.get_nowait()
            except queue.Empty:
                return
            for attempt in range(1, TRIES + 1):
                try:
                    row = self._upload(api, user_id, picture)
                except Exception as error:
                    with self._changed:
                        if attempt == TRIES or not isinstance(error, errors.GlassineError):
                            self.outcome.problems.append(f"{picture.picture_id} was refused to the end: {error!r}")
                            self._changed.notify_all()
                            break
                        self.outcome.given_up += 1
                else:
                    with self._changed:
                        self.outcome.acknowledged[picture.picture_id] += 1
                        if row.stored_name != f"p-{picture.picture_id}":
                            self.outcome.problems.append(f"{picture.picture_id} was answered with another name")
                        self._changed.notify_all()
                    break

    @staticmethod
    def _upload(api: Client, user_id: str, picture: Sealed) -> Row:
        return api.upload_sealed(
            user_id, picture.picture_id, carrier=picture.carrier, envelope=picture.envelope, thumbnail=picture.thumbnail
        )


def check(address: str, name: str, outcome: Outcome) -> None:
    """Compare what the server lists and hands out with what it acknowledged; adds to the problems."""
    api, user_id = sign_in(address, name)
    rows: list[Row] = []
    total = 0
    while True:
        page, total = api.page(user_id, rows[-1].id if rows else "")
        if not page:
            break
        rows += page
    listed = Counter(row.stored_name.removeprefix("p-") for row in rows)
    if total != len(rows):
        outcome.problems.append(f"counts {total} pictures and lists {len(rows)}")
    outcome.problems += [f"{name} is listed {times} times" for name, times in listed.items() if times > 1]
    outcome.problems += [f"{name} was acknowledged and is lost" for name in set(outcome.acknowledged) - set(listed)]
    outcome.problems += [f"{name} is listed and was never sent" for name in set(listed) - set(outcome.wanted)]
    for picture_id in sorted(set(listed) & set(outcome.wanted)):
        try:
            with api.content(user_id, f"p-{picture_id}") as content:
                digest = hashlib.sha256(content.read()).hexdigest()
        except errors.GlassineError as error:
            outcome.problems.append(f"{picture_id} does not open: {error!r}")
            continue
        if digest != outcome.wanted[picture_id]:
            outcome.problems.append(f"{picture_id} is damaged")
    api.close()


def killer(kind: str, database: MongoServer, server: Gunicorn) -> Callable[[], str]:
    """What kills one thing, sees to it that it comes back, and says what it did."""

    def kill() -> str:
        if kind == "worker":
            return f"worker {server.kill_worker()}"
        if kind == "gunicorn":
            server.kill()
            server.start()
        else:
            database.kill()
            database.start()
            server.wait_until_ready()
        return kind

    return kill


def run(rounds: Sequence[Sequence[str]], *, pictures: int, size: int, clients: int, say: bool = True) -> list[str]:
    """Run rounds, each with its kills, and return every problem found."""
    problems: list[str] = []
    with tempfile.TemporaryDirectory(prefix="glassine-kill-") as name:
        folder = Path(name)
        (folder / "mongodb").mkdir()
        key = PrivateKey.generate(2048)
        sealed = make_pictures(folder, key, pictures, size)
        with mongo_server(folder / "mongodb") as database:
            uri = with_database(database.uri, "glassine_kill")
            with gunicorn(2, folder, mongodb=uri) as server:
                for number, kinds in enumerate(rounds):
                    account = f"somebody {number}"
                    api = Api(Transport(server.address))
                    api.register(account, PASSWORD, key.public.pem)
                    api.close()
                    storm = Storm(server.address, account, sealed, clients)
                    steps = [
                        (pictures * step // (len(kinds) + 1), killer(kind, database, server))
                        for step, kind in enumerate(kinds, 1)
                    ]
                    outcome = storm.run(steps)
                    check(server.address, account, outcome)
                    problems += [f"{' and '.join(kinds)} killed: {problem}" for problem in outcome.problems]
                    if say:
                        report(outcome, clients, size)
    return problems


def report(outcome: Outcome, clients: int, size: int) -> None:
    """Print the counts of one round."""
    print(f"killed -9                  {', '.join(outcome.killed)}")
    print(f"  pictures, clients        {len(outcome.wanted)} of {size / 1e6:.1f} MB, {clients}")
    print(f"  acknowledged             {len(outcome.acknowledged)}, {outcome.before} of them before the kill")
    print(f"  sent again by itself     {outcome.again}")
    print(f"  given up and asked again {outcome.given_up}")
    print(f"  lost, damaged, twice     {len(outcome.problems)}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kill_server", description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--size", type=int, default=2_000_000, help="bytes of a picture")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--kill", choices=KILLS, action="append", help="what to kill; several times for several rounds")
    arguments = parser.parse_args()
    end_in_order()
    problems = run(
        [[kind] for kind in arguments.kill or KILLS],
        pictures=arguments.pictures, size=arguments.size, clients=arguments.clients,
    )  # fmt: skip
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
