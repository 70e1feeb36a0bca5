"""The one error tree of the backend: what a service refuses, with the HTTP status it answers to.

Every error becomes the same JSON shape, ``{"message": "…"}``. The texts are part of the API: existing clients compare
them. Must not import Flask.
"""

from __future__ import annotations

from typing import ClassVar


class BackendError(Exception):
    """Base of everything that is answered to a client as an error.

    Attributes:
        status: HTTP status code.
        message: The text of the answer, without hints about the inside of the server.
    """

    status: ClassVar[int] = 500
    default_message: ClassVar[str] = "Internal server error"

    def __init__(self, message: str | None = None) -> None:
        self.message = message or self.default_message
        super().__init__(self.message)


class Malformed(BackendError):
    """The body is not what its content type promises."""

    status = 400
    default_message = "The request is malformed"


class NotAuthorized(BackendError):
    """Signed in, but not as somebody who may do this."""

    status = 401
    default_message = "User is not authorized"


class TokenRevoked(BackendError):
    """The token was signed out."""

    status = 401
    default_message = "Token has been revoked"


class TokenExpired(BackendError):
    """The token is past its time."""

    status = 401
    default_message = "Token has expired"


class SessionEnded(BackendError):
    """The session cookie names a session that is over, or none."""

    status = 401
    default_message = "Session has ended"


class Unauthorized(BackendError):
    """No credentials, or none that are good, where that is not said in more words."""

    status = 401
    default_message = "Unauthorized"


class BasicRequired(BackendError):
    """HTTP Basic was asked for and not given, or is not good."""

    status = 401
    default_message = "Unauthorized Access"


class Forbidden(BackendError):
    """This may not be done with these credentials."""

    status = 403
    default_message = "Forbidden"


class RegistrationClosed(BackendError):
    """This server takes no new accounts."""

    status = 403
    default_message = "Registration is closed"


class NotFound(BackendError):
    """There is nothing at this address."""

    status = 404
    default_message = "Not found"


class UserNotFound(NotFound):
    """No account has this id."""

    default_message = "User not found"


class ImageNotFound(NotFound):
    """The owner has no picture of this name."""

    default_message = "Image not found"


class PermissionNotFound(NotFound):
    """The picture is there, but not shared with this user."""

    default_message = "Permission for User id not found"


class FileNotPublished(NotFound):
    """The operator has published no file of this name."""

    default_message = "File not found"


class DocumentNotFound(NotFound):
    """The account keeps nothing of this kind on the server."""

    default_message = "Nothing is stored here"


class Conflict(BackendError):
    """Something else is already there; nothing was changed."""

    status = 409
    default_message = "Already exists"


class PictureReplaced(Conflict):
    """Another revision took the place of this one while it was being looked at; the request may be repeated."""

    default_message = "This picture was changed at the same time"


class Gone(BackendError):
    """The owner's programs recorded that this picture was deleted for good; it does not come back."""

    status = 410
    default_message = "This picture was deleted for good"


class PreconditionFailed(BackendError):
    """Something else is stored than the request was made for; nothing was changed.

    Attributes:
        etag: What is stored now; empty when nothing is.
    """

    status = 412
    default_message = "Another revision is stored"

    def __init__(self, etag: str = "") -> None:
        self.etag = etag
        super().__init__()


class TooLarge(BackendError):
    """A body or a field is above its limit."""

    status = 413
    default_message = "The request is larger than this server takes"


class UnsupportedContentType(BackendError):
    """The body is of a kind that this route does not read."""

    status = 415
    default_message = "The content type is not supported"


class Invalid(BackendError):
    """A field is missing or has a value that is not allowed.

    Several messages are joined by ", ", as the API's first clients expect.
    """

    status = 422
    default_message = "The request is invalid"


class BadCredentials(Invalid):
    """Unknown user and wrong password alike."""

    default_message = "Username or password is invalid"


class BadAuthorizationHeader(Invalid):
    """There is no token, or what is there is not a token."""

    default_message = "Bad Authorization header. Expected 'Authorization: Bearer <JWT>'"


class BadId(Invalid):
    """An id in the address is not 24 hex digits."""

    default_message = "Not a valid ObjectId, it must be a 12-byte input or a 24-character hex string"


class TooManyAttempts(BackendError):
    """Too many failed sign-ins or new accounts.

    Attributes:
        seconds: After how many whole seconds to try again.
    """

    status = 429
    default_message = "Too many attempts. Try again in N seconds"

    def __init__(self, seconds: int) -> None:
        super().__init__(self.default_message.replace("N", str(seconds)))
        self.seconds = seconds


class PreconditionRequired(BackendError):
    """The request does not say what it means to replace."""

    status = 428
    default_message = "If-Match is required"


class StoredDataMissing(BackendError):
    """A record names bytes that are not there: the storage is damaged."""

    default_message = "The stored data cannot be read"


class QuotaExceeded(BackendError):
    """The account has no room for this; what is stored stays as it is."""

    status = 507
    default_message = "Your storage on this server is full"


STORAGE_ANSWERS: dict[str, tuple[int, str]] = {
    "full": (507, "The server's storage is full"),
    "read-only": (503, "The server's storage is read-only"),
    "in-use": (503, "The server's storage is in use by another process"),
    "unreachable": (503, "The server's database cannot be reached"),
    "damaged": (500, "The server's storage is damaged"),
    "other": (500, "The server's storage failed"),
}
"""Status and text for each ``StorageError.reason``; the engine's own text goes to the log only."""
