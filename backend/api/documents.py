"""Routes of what people's programs keep on the server: ledger, key file, signed records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request
from werkzeug.http import quote_etag

from backend.api.fields import if_match, page_parameters
from backend.api.gate import owner
from backend.api.operation import EMPTY_TEXT, NOTHING, OCTETS, Answer, Body, binary, many, one, operation
from backend.api.responses import created, json_response, no_content, services, timestamp
from backend.api.schemas import FILE, TEXT
from backend.errors import Invalid, PreconditionRequired
from backend.services.accounts import check_id
from backend.services.documents import GONE, GONE_RECORDS_LIMIT, KEYFILE, LEDGER, LIMITS, SUCCESSION, tag
from backend.services.signed import OBJECT_LIMIT, canonical, is_hex

if TYPE_CHECKING:
    from backend.storage.protocol import Document

blueprint = Blueprint("documents", __name__)

USER = "/users/<user_id>"

STORED = binary(OCTETS, "ETag")
NOT_STORED = {404: "Nothing is stored here"}
PUT_ANSWERS = {201: replace(EMPTY_TEXT, headers=("ETag",)), 204: Answer(headers=("ETag",))}
PUT_REFUSED = {412: "Another revision is stored", 422: "", 428: "If-Match is required"}
RECORDED = {201: EMPTY_TEXT, 204: NOTHING}
RECORD_REFUSED = {409: "Another record is stored already", 422: "The record is invalid"}
CONDITIONS = ("If-Match", "If-None-Match")


DOCUMENT = Body(FILE, (OCTETS,), example="sealed")


def _record_body(signatures: dict[str, str], **body: object) -> Body:
    """A signed record, which must come in its canonical encoding."""
    return Body(TEXT, (OCTETS,), example=canonical({"body": body, **signatures}))


GONE_RECORD = _record_body(
    {"sig": "AAAA"}, t="gone", pic="cd" * 16, owner="ab" * 32, prev="ef" * 32, time=1_700_000_000
)
SUCCESSION_RECORD = _record_body(
    {"sig": "AAAA", "sig2": "AAAA"}, t="succ", old="ab" * 32, new="cd" * 32, time=1_700_000_000
)


@blueprint.get(USER + "/ledger")
@operation({200: STORED}, NOT_STORED)
def get_ledger(user_id: str) -> Response:
    """One's own ledger."""
    return _get(owner(user_id), LEDGER)


@blueprint.put(USER + "/ledger")
@operation(PUT_ANSWERS, PUT_REFUSED, body=DOCUMENT, parameters=CONDITIONS)
def put_ledger(user_id: str) -> Response:
    """Keep one's own ledger."""
    return _put(owner(user_id), LEDGER)


@blueprint.delete(USER + "/ledger")
@operation({204: NOTHING}, NOT_STORED)
def delete_ledger(user_id: str) -> Response:
    """Remove one's own ledger."""
    services().documents.remove(owner(user_id), LEDGER)
    return no_content()


@blueprint.get(USER + "/keyfile")
@operation({200: STORED}, NOT_STORED)
def get_keyfile(user_id: str) -> Response:
    """One's own key file."""
    return _get(owner(user_id), KEYFILE)


@blueprint.put(USER + "/keyfile")
@operation(PUT_ANSWERS, PUT_REFUSED, body=DOCUMENT, parameters=CONDITIONS)
def put_keyfile(user_id: str) -> Response:
    """Keep one's own key file."""
    return _put(owner(user_id), KEYFILE)


@blueprint.delete(USER + "/keyfile")
@operation({204: NOTHING}, NOT_STORED)
def delete_keyfile(user_id: str) -> Response:
    """Remove one's own key file."""
    services().documents.remove(owner(user_id), KEYFILE)
    return no_content()


@blueprint.get(USER + "/gone")
@operation({200: many("GoneRecord")}, parameters=("limit", "after picture"))
def list_gone(user_id: str) -> Response:
    """One's own records of pictures that were deleted for good."""
    return _list(owner(user_id), GONE, "picture_id", 32)


@blueprint.get(USER + "/gone/<picture_id>")
@operation({200: one("GoneRecord")}, NOT_STORED)
def get_gone(user_id: str, picture_id: str) -> Response:
    """The record that somebody deleted a picture for good."""
    return json_response(_record(services().documents.record(check_id(user_id), GONE, picture_id), "picture_id"))


@blueprint.put(USER + "/gone/<picture_id>")
@operation(
    RECORDED,
    {**RECORD_REFUSED, 409: f"Another record is stored already, No more than {GONE_RECORDS_LIMIT} records are kept"},
    body=GONE_RECORD,
)
def put_gone(user_id: str, picture_id: str) -> Response:
    """Record that one deleted a picture for good."""
    own = owner(user_id)
    return _recorded(services().documents.record_gone(own, picture_id, _text()))


@blueprint.get(USER + "/successions")
@operation({200: many("SuccessionRecord")}, parameters=("limit", "after hash"))
def list_successions(user_id: str) -> Response:
    """Somebody's records of key pairs that were replaced."""
    return _list(check_id(user_id), SUCCESSION, "old", 64)


@blueprint.put(USER + "/successions/<fingerprint>")
@operation(
    RECORDED,
    {**RECORD_REFUSED, 409: "Another record is stored already, No more than 100 records are kept"},
    body=SUCCESSION_RECORD,
)
def put_succession(user_id: str, fingerprint: str) -> Response:
    """Record that one replaced a key pair."""
    own = owner(user_id)
    return _recorded(services().documents.record_succession(own, fingerprint, _text()))


def _get(owner_id: str, kind: str) -> Response:
    document = services().documents.get(owner_id, kind)
    response = Response(document.value, mimetype="application/octet-stream")
    response.headers["ETag"] = quote_etag(tag(document))
    return response


def _put(owner_id: str, kind: str) -> Response:
    replaces = if_match()
    if request.headers.get("If-None-Match", "").strip() == "*":
        if replaces is not None:
            raise Invalid("Send either If-Match or If-None-Match")
        replaces = ""
    if replaces is None:
        raise PreconditionRequired
    request.max_content_length = LIMITS[kind]
    document, first = services().documents.put(owner_id, kind, request.get_data(cache=False), replaces)
    response = created() if first else no_content()
    response.headers["ETag"] = quote_etag(tag(document))
    return response


def _text() -> str:
    request.max_content_length = OBJECT_LIMIT
    # bytes that are no ASCII become signs that no signed object may contain
    return request.get_data(cache=False).decode("latin-1")


def _recorded(first: bool) -> Response:
    return created() if first else no_content()


def _list(owner_id: str, kind: str, key: str, digits: int) -> Response:
    limit, after = page_parameters(_hex(digits))
    found = services().documents.records(owner_id, kind, after=after, limit=limit)
    return json_response([_record(document, key) for document in found])


def _hex(digits: int) -> Callable[[str], str]:
    def check(untrusted_text: str) -> str:
        if not is_hex(untrusted_text, digits):
            raise Invalid(f"after must be {digits} hex digits")
        return untrusted_text

    return check


def _record(document: Document, key: str) -> dict[str, str]:
    return {key: document.key, "record": document.value.decode("ascii"), "stored": timestamp(document.updated)}
