"""How often somebody may try."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from limits.storage import MemoryStorage

from backend import create_app
from backend.config import Config
from backend.errors import BadCredentials, Conflict, TooManyAttempts
from backend.services.attempts import Attempts, network
from backend.services.passwords import Passwords
from backend.storage.protocol import StorageError
from tests.backend.conftest import FAST, Running, serving

LIMITED = replace(FAST, login_attempts=3, login_attempts_address=7, registrations=3)
GOOD, WRONG, STOP = "good", "Username or password is invalid", "Too many attempts"


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Running]:
    """A server of its own: its counts start at 0."""
    with serving(tmp_path, LIMITED) as running:
        yield running


def sign_in(server: Running, name: str, password: str) -> str:
    answer = server.call("POST", "/auth/login", data={"username": name, "password": password})
    if answer.status_code == 429:
        seconds = int(answer.headers["Retry-After"])
        assert 1 <= seconds <= 60
        assert answer.json() == {"message": f"Too many attempts. Try again in {seconds} seconds"}
        return STOP
    assert "Retry-After" not in answer.headers
    return GOOD if answer.status_code == 200 else answer.json()["message"]


def test_failures_of_one_name_are_limited_whether_there_is_such_a_user_or_not(limited: Running) -> None:
    person = limited.person()
    for name in (person.name, "nobody"):
        assert [sign_in(limited, name, "wrong") for _ in range(4)] == [WRONG] * 3 + [STOP]
        assert sign_in(limited, name, person.password) == STOP
    assert person.call("GET", "/users").status_code == 200  # who is signed in stays so


def test_failures_of_one_address_are_limited_over_all_names(limited: Running) -> None:
    person = limited.person()
    assert [sign_in(limited, f"guess {number}", "wrong") for number in range(8)] == [WRONG] * 7 + [STOP]
    assert sign_in(limited, person.name, person.password) == STOP


def test_good_sign_ins_do_not_count(limited: Running) -> None:
    person = limited.person()
    for _ in range(2):
        assert sign_in(limited, person.name, "wrong") == WRONG
        assert [sign_in(limited, person.name, person.password) for _ in range(8)] == [GOOD] * 8
    assert sign_in(limited, person.name, "wrong") == WRONG
    assert sign_in(limited, person.name, person.password) == STOP


def test_a_password_that_is_asked_for_once_more_counts_alike(limited: Running) -> None:
    person = limited.person()
    path, wrong = f"/users/{person.user_id}", {"password": "wrong"}
    answers = [
        person.call("DELETE", path, data=wrong),
        person.call("PUT", f"{path}/key", data=wrong | {"publicKey": "7 5"}),
        person.call("PUT", f"{path}/password", data={"old_password": "wrong", "new_password": "x"}),
        person.call("DELETE", path, data={"password": person.password}),
    ]
    assert [answer.status_code for answer in answers] == [422, 422, 422, 429]
    assert sign_in(limited, person.name, person.password) == STOP


def test_new_accounts_are_limited_and_refused_ones_do_not_count(limited: Running) -> None:
    person = limited.person()
    form = {"username": person.name, "password": "x", "publicKey": "7 5"}
    assert [limited.call("POST", "/auth/register", data=form).status_code for _ in range(4)] == [409] * 4
    answers = [limited.call("POST", "/auth/register", data=form | {"username": f"new {number}"}) for number in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 3600
    assert limited.storage.user_by_name("new 2") is None


def test_what_is_refused_costs_no_password_check(limited: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        sign_in(limited, "nobody", "wrong")
    monkeypatch.setattr(Passwords, "opens", lambda *_: pytest.fail("a password was checked"))
    assert sign_in(limited, "nobody", "wrong") == STOP


def attempt(attempts: Attempts, name: str, address: str = "192.0.2.1", kind: str = "") -> str:
    try:
        with attempts.sign_in(address, kind, name):
            raise BadCredentials
    except (BadCredentials, TooManyAttempts) as error:
        return WRONG if isinstance(error, BadCredentials) else STOP


def test_each_address_and_each_kind_of_account_counts_for_itself() -> None:
    attempts = Attempts(LIMITED)
    assert [attempt(attempts, "a") for _ in range(4)] == [WRONG] * 3 + [STOP]
    assert attempt(attempts, "a", "192.0.2.2") == WRONG
    assert attempt(attempts, "a", kind="ops") == WRONG


def test_many_at_the_same_moment_are_no_way_around() -> None:
    attempts, results = Attempts(LIMITED), []
    barrier = threading.Barrier(12)

    def try_at_once() -> None:
        barrier.wait()
        results.append(attempt(attempts, "a"))

    threads = [threading.Thread(target=try_at_once) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [STOP] * 9 + [WRONG] * 3


def test_a_failure_of_the_storage_is_nobodys_attempt() -> None:
    attempts = Attempts(LIMITED)
    for _ in range(10):
        with pytest.raises(StorageError), attempts.sign_in("", "", "a"):
            raise StorageError("full", "no room")
        with pytest.raises(Conflict), attempts.registration(""):
            raise Conflict
    assert attempt(attempts, "a", "") == WRONG


def test_a_window_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1_800_000_000.0]
    monkeypatch.setattr("time.time", lambda: clock[0])
    attempts = Attempts(LIMITED)
    for _ in range(4):
        attempt(attempts, "a")
    clock[0] += 20.5
    with pytest.raises(TooManyAttempts) as refused, attempts.sign_in("192.0.2.1", "", "a"):
        pytest.fail("let in")
    assert refused.value.seconds == 40
    clock[0] += 39.6
    assert attempt(attempts, "a") == WRONG


def test_workers_count_together_in_mongodb(mongo_uri: str) -> None:
    config = replace(LIMITED, mongodb=mongo_uri, secret_key="k" * 32)
    workers = [Attempts(config), Attempts(config)]
    try:
        for name, address in (("a", "192.0.2.1"), ("a", "192.0.2.2")):
            results = [attempt(workers[number % 2], name, address) for number in range(5)]
            assert results == [WRONG] * 3 + [STOP] * 2
        with workers[0].sign_in("192.0.2.1", "", "b"):
            pass  # good: taken back
        assert [attempt(worker, "b") for worker in workers * 2] == [WRONG] * 3 + [STOP]
        with pytest.raises(TooManyAttempts) as refused, workers[1].sign_in("192.0.2.1", "", "a"):
            pytest.fail("let in")
        assert 1 <= refused.value.seconds <= 60
    finally:
        for worker in workers:
            worker.close()


def test_many_workers_at_the_same_moment_are_no_way_around(mongo_uri: str) -> None:
    config = replace(LIMITED, mongodb=mongo_uri, secret_key="k" * 32)
    workers = [Attempts(config), Attempts(config)]
    # The database of the tests answers nothing to the later ones of those who begin a count at once.
    results = [attempt(workers[0], "a")]
    threads = [
        threading.Thread(target=lambda number=number: results.append(attempt(workers[number % 2], "a")))
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for worker in workers:
        worker.close()
    assert sorted(results) == [STOP] * 6 + [WRONG] * 3


def test_two_servers_over_one_mongodb_count_together(mongo_uri: str) -> None:
    config = replace(LIMITED, mongodb=mongo_uri, secret_key="k" * 32)
    apps = [create_app(config), create_app(config)]
    try:
        form = {"username": "ada", "password": "wrong"}
        answers = [apps[number % 2].test_client().post("/api/v1/auth/login", data=form) for number in range(4)]
        assert [answer.status_code for answer in answers] == [422, 422, 422, 429]
        form = {"username": "ada", "password": "secret", "publicKey": "7 5"}
        assert apps[0].test_client().post("/api/v1/auth/register", data=form).status_code == 201
        assert apps[1].test_client().post("/api/v1/auth/login", data=form).status_code == 429
    finally:
        for app in apps:
            app.extensions["glassine"].close()


def test_without_the_database_nobody_signs_in() -> None:
    config = replace(LIMITED, mongodb="mongodb://127.0.0.1:9/x?serverSelectionTimeoutMS=50", secret_key="k" * 32)
    attempts = Attempts(config)
    with pytest.raises(StorageError) as failure, attempts.sign_in("192.0.2.1", "", "a"):
        pytest.fail("let in")
    assert failure.value.reason == "unreachable"
    attempts.close()


def test_nobody_waits_for_somebody_else_to_reach_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts, together, made = Attempts(LIMITED), threading.Barrier(2), []

    def connect(_: object) -> MemoryStorage:
        together.wait(20)  # both are here at once
        made.append(MemoryStorage())
        return made[-1]

    monkeypatch.setattr("backend.services.attempts._counter", connect)
    results: list[str] = []
    threads = [threading.Thread(target=lambda: results.append(attempt(attempts, "a"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (results, len(made)) == ([WRONG] * 2, 2)
    assert [attempt(attempts, "a") for _ in range(2)] == [WRONG, STOP]  # they count together all the same


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("", ""),
        ("socket", "socket"),
    ],
)
def test_what_counts_as_one_address(address: str, counted: str) -> None:
    assert network(address) == counted


def test_without_limits_nothing_is_loaded_to_count() -> None:
    program = """
import sys
from backend import create_app
from backend.config import Config
from backend.services.attempts import Attempts
attempts = Attempts(Config(login_attempts=0, login_attempts_address=0, registrations=0))
with attempts.sign_in("192.0.2.1", "", "a"), attempts.registration("192.0.2.1"):
    pass
attempts.close()
sys.exit("limits" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", program], timeout=60, check=False).returncode == 0


def test_the_limits_are_on_unless_they_are_switched_off() -> None:
    shipped = Config()
    assert (shipped.login_attempts, shipped.login_attempts_address, shipped.registrations) == (10, 100, 20)
