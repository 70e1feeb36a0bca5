"""Runs schemathesis over every described route of a running server, with people who have something to ask for.

Requests are generated from the OpenAPI document; here they are aimed: ids and names that fit the document become those
of somebody who is signed in and of things that are there, so that requests reach what is behind the first refusal.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import requests
import schemathesis
from schemathesis import engine
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events

from tests.backend import samples
from tests.openapi.people import GONE, NUMBERS, PASSWORD, PNG, Somebody, World

SEED = 20261127
CHECKS = {
    # what schemas cannot say: which names are taken, that a record is signed, that unknown members are read past
    "positive_data_acceptance": {"enabled": False},
    "negative_data_rejection": {"enabled": False},
    # credentials and headers are exchanged below
    "ignored_auth": {"enabled": False},
    "missing_required_header": {"enabled": False},
    # of sequences of requests, which are not generated
    "use_after_free": {"enabled": False},
    "ensure_resource_availability": {"enabled": False},
    "object_level_authorization": {"enabled": False},
}
USES_UP = {
    "accounts_delete_delete", "accounts_logout_post", "accounts_change_password_put", "accounts_refresh_post",
    "bin_empty_delete", "bin_remove_delete", "bin_restore_post", "documents_delete_keyfile_delete",
    "documents_delete_ledger_delete", "earlier_api_delete_delete", "earlier_api_logout_post", "earlier_api_take_delete",
    "file_server_logout_get", "permissions_take_delete", "pictures_delete_delete", "session_api_delete_delete",
    "session_api_logout_delete", "session_api_logout_delete_2",
}  # fmt: skip
"""Operations after whose success somebody new is needed."""

SHADOWING = {
    "GET /api/v1/users/me",
    "GET /api/v1/users/{user_id}/bin/thumbnails",
    "GET /api/v1/users/{user_id}/images/download-all",
    "GET /api/v1/users/{user_id}/images/thumbnails",
    "GET /api/v1/users/{user_id}/images/upload",
    "POST /api/v1/users/{user_id}/images/upload",
    "GET /api/v1/users/{user_id}/images/data",
}
"""Addresses that stand before one with a variable: other methods are that one's, with an id or name that is none."""
OF_METHODS = {"unsupported_method", "allow_header_conformance"}


class Aim:
    """Changes generated requests on their way."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._somebody: Somebody | None = None
        self._operation = ""
        self._count = 0

    def before_call(self, case: Any) -> None:
        """Put credentials, ids and names in; one request in eight goes as it was generated."""
        operation = case.operation.definition.raw
        if operation["operationId"] != self._operation:
            self._operation, self._somebody, self._count = operation["operationId"], None, 0
        self._count += 1
        if self._somebody is None:
            self._somebody = self._world.somebody(self._operation.partition("_")[0])
        if self._count % 8 == 0:
            return
        for name, value in (case.path_parameters or {}).items():
            case.path_parameters[name] = self._aimed(name, value)
        case.headers.update(self._credentials(operation) | self._somebody.headers)
        self._repair(case)

    def after_call(self, response: Any) -> None:
        """Find somebody new where this one has been used up."""
        if self._operation in USES_UP and response.status_code < 300:
            self._somebody = None

    def _aimed(self, name: str, value: Any) -> Any:
        assert self._somebody is not None
        known = self._somebody.variables.get(name)
        return known[self._count % len(known)] if known else value

    def _credentials(self, operation: dict[str, Any]) -> dict[str, str]:
        assert self._somebody is not None
        ways = [way for one in operation["security"] for way in one]
        if not ways:
            return {}
        way = "basic" if self._operation.startswith("session_api") else ways[0]
        if way == "file_token":
            way = "ops" if self._operation.startswith("file_server_upload") else "client"
        token = self._somebody.tokens.get(way)
        return {"Authorization": token} if token else {}

    def _repair(self, case: Any) -> None:
        """Every other body becomes one that is taken, where chance alone would never make one."""
        if self._count % 2:
            return
        if self._operation == "documents_put_gone_put":
            case.body = GONE
        if not isinstance(case.body, dict):
            return
        known: dict[str, Any] = {"imageFile": PNG, "thumbnail": PNG, "password": PASSWORD, "old_password": PASSWORD}
        if "give" in self._operation and self._somebody is not None:
            known |= {"user_id": self._somebody.stranger, "grant": ""}
        if "register" in self._operation:
            known |= {"username": f"new {next(NUMBERS)}", "publicKey": "27977 9431"}
        case.body.update({name: value for name, value in known.items() if name in case.body})
        self._revise(case)

    def _revise(self, case: Any) -> None:
        if self._operation != "revisions_replace_put" or self._somebody is None or self._somebody.sealed is None:
            return
        # the file's name has to be the picture's, and a dictionary cannot say that: files are given beside the case
        before, after = self._somebody.sealed, samples.next_revision(self._somebody.sealed)
        case.path_parameters["name"] = before.stem
        case.headers["If-Match"] = f'"{before.header_hash}"'
        prepared = requests.Request("PUT", "http://localhost/", **after.form()).prepare()
        case.body = prepared.body
        case.headers["Content-Type"] = prepared.headers["Content-Type"]
        self._somebody = None


@dataclass
class Outcome:
    """What a run found.

    Attributes:
        statuses: How many answers there were of each status, by operation.
        checks: How many checks were made.
        problems: Each with what was sent.
    """

    statuses: dict[str, Counter[int]] = field(default_factory=dict)
    checks: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """How many requests were answered."""
        return sum(answers.total() for answers in self.statuses.values())

    @property
    def unreached(self) -> set[str]:
        """Operations that never answered anything but refusals."""
        return {label for label, answers in self.statuses.items() if min(answers) >= 400}


def run(
    base: str,
    *,
    dialect: str = "",
    examples: int = 5,
    tags: tuple[str, ...] = (),
    seed: int = SEED,
    limits: bool = True,
) -> Outcome:
    """Run over all operations, or those of some tags.

    Args:
        base: Address of the server.
        dialect: As in the setting ``api_dialect``.
        examples: How many requests of random content each operation gets, besides its examples.
        tags: Of which operations.
        seed: Of what is generated.
        limits: Whether to go through the limits of each parameter.
    """
    document = closed(document_of(base))
    config = SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "base-url": base,
            "continue-on-failure": True,
            "request-timeout": 20,
            "workers": 1,
            "generation": {"deterministic": True, "max-examples": examples, "database": "none", "no-shrink": True},
            "phases": {
                "stateful": {"enabled": False},
                "coverage": {"enabled": limits},
                "fuzzing": {"extra-data-sources": {"responses": False}},
            },
            "checks": CHECKS,
        }
    )
    schema = schemathesis.openapi.from_dict(document, config=config)
    if tags:
        schema = schema.include(tag=list(tags))
    world = World(base, dialect)
    aim = Aim(world)

    @schemathesis.hook
    def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
        aim.before_call(case)

    @schemathesis.hook
    def after_call(context: Any, case: Any, response: Any) -> None:
        aim.after_call(response)

    outcome = Outcome()
    try:
        for event in engine.from_schema(schema).execute():
            _note(event, outcome)
    finally:
        schemathesis.hooks.unregister_all()
        world.close()
    return outcome


def _note(event: Any, outcome: Outcome) -> None:
    if isinstance(event, events.NonFatalError):
        outcome.problems.append(f"{event.label}: {event.value!r}")
    elif isinstance(event, events.FatalError):
        raise event.exception
    elif isinstance(event, events.ScenarioFinished):
        recorder = event.recorder
        answers = outcome.statuses.setdefault(recorder.label, Counter())
        answers.update(one.response.status_code if one.response else 599 for one in recorder.interactions.values())
        for nodes in recorder.checks.values():
            for node in nodes:
                outcome.checks[node.name] += 1
                if node.failure_info is not None and not (recorder.label in SHADOWING and node.name in OF_METHODS):
                    failure = node.failure_info.failure
                    text = f"{recorder.label}: {node.name}: {failure.title}: {failure.message}"
                    outcome.problems.append(f"{text}\n{node.failure_info.code_sample}")


def closed(document: dict[str, Any]) -> dict[str, Any]:
    """A document by which no answer may have members that it does not name."""

    def close(schema: Any) -> None:
        if isinstance(schema, list):
            for one in schema:
                close(one)
        elif isinstance(schema, dict):
            if isinstance(schema.get("properties"), dict):
                schema.setdefault("additionalProperties", False)
            for one in schema.values():
                close(one)

    close(document["components"]["schemas"])
    return document


def operations_of(document: dict[str, Any], tags: tuple[str, ...] = ()) -> set[str]:
    """The labels of a document's operations."""
    return {
        f"{method.upper()} {path}"
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if not tags or set(operation["tags"]) & set(tags)
    }


NEVER_GOOD = {
    # they are there to refuse
    "GET /api/v1/unauthorized",
    "GET /api/v1/forbidden",
    # their form is in the body of a GET, which OpenAPI cannot describe; tests/compat sends it
    *(f"GET /{kind}/{step}" for kind in ("ops", "client") for step in ("signup", "login")),
}
"""Operations that can only refuse what is generated."""


def check(server: Any, tags: tuple[str, ...], *, limits: bool = True, **more: Any) -> None:
    """Run, and fail when anything is wrong, or when some operation was not reached at all."""
    outcome = run(server.base, tags=tags, limits=limits, **more)
    assert not outcome.problems, "\n\n".join(outcome.problems[:20])
    left_out = operations_of(document_of(server.base), tags) - outcome.statuses.keys()
    assert not left_out, left_out
    unreached = outcome.unreached - NEVER_GOOD if limits else set()  # a few requests do not get through everywhere
    assert not unreached, unreached


def document_of(base: str) -> dict[str, Any]:
    """What a server says of itself."""
    found: dict[str, Any] = requests.get(f"{base}/api/v1/openapi.json", timeout=20).json()
    return found
