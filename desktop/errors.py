"""The one error tree of the desktop side.

Every error a person can meet has a title, a plain message, a code and an exit code for the command line. Library
errors are converted to one of these once, at the boundary where they occur. Must not import anything of the project.
"""

from __future__ import annotations

from typing import ClassVar


class Cancelled(Exception):
    """The person cancelled the work. Never shown as a failure."""


class GlassineError(Exception):
    """Base of all errors shown to people.

    Attributes:
        code: Short stable code (N network, V verification, K key, F file, S storage).
        title: One line, no full stop.
        message: What happened, what it means for the pictures, what to do.
        retryable: Whether trying the same again can succeed.
        exit_code: Exit code of the command line (1 other, 3 wrong key, 4 damaged or forged, 5 unsupported).
    """

    code: ClassVar[str] = "G-100"
    title: ClassVar[str] = "Something went wrong"
    default_message: ClassVar[str] = "Glassine could not finish. Nothing was changed."
    retryable: ClassVar[bool] = False
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str | None = None, *, details: str = "") -> None:
        self.message = message or self.default_message
        self.details = details
        super().__init__(self.message)


# -- keys ---------------------------------------------------------------------------------------------------------


class WrongKey(GlassineError):
    """The key or passphrase does not open this; the data itself may be fine."""

    code = "K-101"
    title = "Wrong key or passphrase"
    default_message = "That is not the key or passphrase that opens this. Check Caps Lock and the chosen key."
    exit_code = 3


class KeyRefused(GlassineError):
    """A key that Glassine must not use: too weak, malformed, or of another kind."""

    code = "K-102"
    title = "This key cannot be used"
    default_message = "The key is malformed or too weak to protect pictures."
    exit_code = 5


class KeyFileUnreadable(GlassineError):
    """The key file could not be read at all; the passphrase was not tried."""

    code = "K-103"
    title = "The key file cannot be read"
    default_message = "The key file cannot be read. The passphrase was not tried."


class KeyMissing(GlassineError):
    """The private key of this account is not on this computer."""

    code = "K-104"
    title = "Your key is not on this computer"
    default_message = "Import the key file of this account to open its pictures."
    exit_code = 3


class PassphraseNeeded(WrongKey):
    """A key file is encrypted and no passphrase was given."""

    code = "K-105"
    title = "A passphrase is needed"
    default_message = "This key is protected with a passphrase. Enter the passphrase it was saved with."


class PassphraseRefused(KeyRefused):
    """A passphrase that must not protect a key here."""

    code = "K-107"
    title = "Choose another passphrase"
    default_message = "This passphrase cannot be used. Choose another one."


class KitWordsWrong(GlassineError):
    """The typed words are no recovery kit. ``positions`` names the impossible ones, from 1; none: the sum is wrong."""

    code = "K-109"
    title = "These are not the words of the kit"
    default_message = (
        "At least one of the words is not what the kit says, or two changed places. Compare each with your paper."
    )
    exit_code = 3

    def __init__(self, message: str | None = None, *, positions: tuple[int, ...] = (), details: str = "") -> None:
        super().__init__(message, details=details)
        self.positions = positions


# -- verification -------------------------------------------------------------------------------------------------


class Damaged(GlassineError):
    """Stored data is not what was stored: malformed, truncated, or altered."""

    code = "F-120"
    title = "This picture is damaged"
    default_message = "The stored file has changed and cannot be opened. Your key is right."
    exit_code = 4


class KeyFileDamaged(Damaged):
    """A key file is not what was written: malformed, truncated, or altered."""

    code = "K-106"
    title = "The key file is damaged"
    default_message = "The key file has changed and cannot be opened. Use another copy of it."


class NotAuthentic(GlassineError):
    """A signature is not by the key that must have signed."""

    code = "V-110"
    title = "Not what you stored"
    default_message = "This picture is not signed by the person it claims to come from. It is not shown."
    exit_code = 4


class NoGrant(NotAuthentic):
    """The author has no valid grant of the owner for this deed."""

    code = "V-111"
    title = "Stored without permission"
    default_message = "The person who stored this was not allowed to. It is not shown."


class GrantRefused(NoGrant):
    """What should let a person open a shared picture is missing, or not its owner's for this picture and person."""

    code = "V-118"
    title = "Not properly shared with you"
    default_message = (
        "What lets you open this picture did not come from its owner, or was made for another picture or person. It is "
        "not shown. Ask its owner to share it with you once more."
    )


class AuthorUnknown(NotAuthentic):
    """Owner and permission are right, but the key that must have signed the change is not known here."""

    code = "V-119"
    title = "Changed by somebody you do not know"
    default_message = (
        "This picture was changed in the name of a person whose key is not known here, so nobody can tell whether it "
        "was that person. It is not shown."
    )


class RolledBack(NotAuthentic):
    """The server handed out an older revision than one already accepted."""

    code = "V-112"
    default_message = "The server handed out an older revision. It is not shown. Nothing of yours was overwritten."


class Forked(NotAuthentic):
    """Two different revisions carry the same number."""

    code = "V-113"
    default_message = "The server handed out another version of the same revision. It is not shown."


class HistoryMissing(NotAuthentic):
    """The steps between the known and the offered revision are not there."""

    code = "V-114"
    default_message = "The server left out the steps between two revisions. The new one is not shown."


class WrongPicture(NotAuthentic):
    """A valid picture, but not the one that was asked for."""

    code = "V-115"
    default_message = "The server handed out another picture than the one asked for. It is not shown."


class KeyChanged(NotAuthentic):
    """A public key differs from the pinned one."""

    code = "V-116"
    title = "A key has changed"
    default_message = "The key is not the one Glassine knows. Nothing is shared until it has been compared."


class SchemeChanged(NotAuthentic):
    """The server offers another scheme than the one recorded."""

    code = "V-117"
    default_message = "The server says this is stored in a weaker scheme than before. It is not shown."


class Missing(NotAuthentic):
    """A known picture is not listed any more, and its owner did not say that it is gone."""

    code = "V-120"
    title = "Missing on the server"
    default_message = "This picture is missing on the server, and you did not delete it."


class Resurrected(NotAuthentic):
    """A picture that its owner deleted for good is handed out again."""

    code = "V-121"
    default_message = "This picture was deleted for good, and the server hands it out again. It is not shown."


class Injected(NotAuthentic):
    """Among one's own pictures is one that one's own key did not sign."""

    code = "V-122"
    default_message = "This is among your pictures, but your key did not sign it. It is not shown."


# -- people -------------------------------------------------------------------------------------------------------


class Unverified(GlassineError):
    """Something is to be shared with a person whose key was never compared, and nobody said that this is all right."""

    code = "P-101"
    title = "Not compared yet"
    default_message = "You have not compared this person's key yet. Nothing was shared."


class PersonNotFound(GlassineError):
    """Nobody of exactly this name has an account."""

    code = "P-102"
    title = "Nobody of this name"
    default_message = "Nobody of exactly this name has an account on this server. Check the spelling."


class ThatIsYou(GlassineError):
    """The person is the one who asks."""

    code = "P-103"
    title = "That is you"
    default_message = "That is your own account. You can always open your own pictures."


# -- files and input ----------------------------------------------------------------------------------------------


class Unsupported(GlassineError):
    """Input of a kind that Glassine does not handle."""

    code = "F-101"
    title = "Not a picture Glassine can open"
    default_message = "This file is not a picture that Glassine can open."
    exit_code = 5


class NotAKey(Unsupported):
    """A file that is no key, or a key of a kind that Glassine does not use."""

    code = "K-108"
    title = "Not a key Glassine can use"
    default_message = "This file is not a key that Glassine can use."


class TooLarge(GlassineError):
    """Input above a limit."""

    code = "F-102"
    title = "Too large"
    default_message = "This is larger than Glassine or the server takes."
    exit_code = 5


class SourceChanged(GlassineError):
    """The source file changed while it was being encrypted."""

    code = "F-103"
    title = "The file changed while it was read"
    default_message = "The file changed while it was being encrypted. Nothing was stored. Try again."
    retryable = True


class FileUnreadable(GlassineError):
    """A local file cannot be read or written (permissions, missing, directory)."""

    code = "F-104"
    title = "The file cannot be used"
    default_message = "The file cannot be read or written."


class NameTaken(GlassineError):
    """Something of that name is already there and is never overwritten."""

    code = "F-105"
    title = "Already there"
    default_message = "A file of that name is already there. Nothing was overwritten. Choose another name."


class AlreadyStored(GlassineError):
    """The very same picture is already in the vault. ``picture_id`` names it; ``in_bin``: it waits in the bin."""

    code = "F-106"
    title = "Already there"
    default_message = "The same picture is already stored."

    def __init__(
        self, message: str | None = None, *, picture_id: str = "", in_bin: bool = False, details: str = ""
    ) -> None:
        super().__init__(message, details=details)
        self.picture_id = picture_id
        self.in_bin = in_bin


# -- storage ------------------------------------------------------------------------------------------------------


class StorageFull(GlassineError):
    """No space left where something must be written."""

    code = "S-101"
    title = "The disk is full"
    default_message = "There is no space left. What is already stored is safe. Free some space and try again."
    retryable = True


class StorageReadOnly(GlassineError):
    """The folder cannot be written."""

    code = "S-102"
    title = "The folder cannot be written"
    default_message = "Glassine may not write to this folder. Choose another folder or change its permissions."


class VaultInUse(GlassineError):
    """Another process has this vault open."""

    code = "S-103"
    title = "This vault is already open"
    default_message = "Another Glassine window or command has this vault open. Close it, or wait for it, first."


VAULT_DAMAGED = (
    "The vault's database is damaged. Nothing was changed. Restore the whole folder of the vault from a backup."
)


class VaultUnreadable(GlassineError):
    """The vault folder is not a vault, or its database cannot be read."""

    code = "S-104"
    title = "The vault cannot be read"
    default_message = "The vault's files cannot be read. Nothing was changed."


class PicturesMissing(VaultUnreadable):
    """The records count more pictures than they give out."""

    code = "S-105"
    title = "Some pictures cannot be listed"
    default_message = "There are more pictures than could be listed. Those that are shown are not concerned."


class MemoryUnreadable(GlassineError):
    """What this computer remembers about pictures and people cannot be read or written."""

    code = "S-106"
    title = "What this computer remembers cannot be read"
    default_message = (
        "The record of what was seen before cannot be read, so older pictures could not be told from newer ones. "
        "No picture was changed."
    )


class LedgerDamaged(Damaged):
    """What a person's computers remember together, kept on the server, is not what one of them wrote."""

    code = "S-107"
    title = "What your computers remember together cannot be read"
    default_message = (
        "The server handed out something else than what your computers wrote. Your pictures are not concerned: this "
        "computer goes by its own memory. Ask whoever runs the server what happened to it."
    )


class LedgerTooNew(Unsupported):
    """A newer program wrote what a person's computers remember together."""

    code = "S-108"
    title = "Another of your computers has a newer Glassine"
    default_message = (
        "What your computers remember together was written by a newer Glassine. Your pictures are not concerned: this "
        "computer goes by its own memory. Update Glassine here."
    )


# -- network ------------------------------------------------------------------------------------------------------


class NetworkError(GlassineError):
    """Base of what can go wrong on the way to a server."""

    code = "N-200"
    title = "The server cannot be used"
    default_message = "The server did not do what was asked."
    retryable = True


class WrongPassword(NetworkError):
    """The server refused user name and password."""

    code = "N-101"
    title = "User name or password is not right"
    default_message = "User name or password is not right. The connection itself is fine."
    retryable = False
    exit_code = 3


class NotSignedIn(NetworkError):
    """The session has expired or was revoked."""

    code = "N-102"
    title = "You are signed out"
    default_message = "The session has ended. Sign in again; what is waiting here is kept."
    retryable = False


class NotAllowed(NetworkError):
    """The server refused this person that resource."""

    code = "N-103"
    title = "Not allowed"
    default_message = "You may not do that with this picture."
    retryable = False


class NotFound(NetworkError):
    """The resource is not on the server."""

    code = "N-104"
    title = "Not found"
    default_message = "The server does not have this."
    retryable = False


class Conflict(NetworkError):
    """The resource exists already or has moved on."""

    code = "N-105"
    title = "Already there"
    default_message = "The server already has something else under this name. Nothing was overwritten."
    retryable = False


class UserNameTaken(Conflict):
    """The user name is taken on this server."""

    code = "N-106"
    title = "This user name is taken"
    default_message = "Somebody already uses this user name on this server. Choose another one."


class MovedOn(Conflict):
    """Another revision is stored than the one that was to be replaced. ``current`` is its tag, as the server says."""

    code = "N-108"
    title = "Changed meanwhile"
    default_message = "Another version was stored meanwhile. Nothing was overwritten."

    def __init__(self, message: str | None = None, *, current: str = "", details: str = "") -> None:
        super().__init__(message, details=details)
        self.current = current


class DeletedForGood(NotFound):
    """The server has the owner's word that this was deleted for good, and takes it no more."""

    code = "N-109"
    title = "Deleted for good"
    default_message = "This picture was deleted for good, so the server does not take it again."


class NoLongerShared(NotFound):
    """The owner took a picture back."""

    code = "N-110"
    title = "No longer shared"
    default_message = (
        "The server does not hand this picture out to you any more: its owner took it back, or moved it to the bin. "
        "Ask them if you did not expect that."
    )


class ConflictKept(Conflict):
    """A new version could not be stored because another one was first; it is kept here, encrypted."""

    code = "N-111"
    title = "Two versions"
    default_message = (
        "Somebody else stored another version of this picture meanwhile. Yours is kept here; choose which one counts."
    )


class ChangedTooOften(Conflict):
    """The server keeps no more versions of a picture."""

    code = "N-112"
    title = "Changed too often"
    default_message = (
        "The server keeps no more versions of this picture. Nothing was overwritten, and yours is kept here: keep "
        "both, and yours becomes a picture of its own."
    )


class ServerSilent(NetworkError):
    """No answer: no route, refused, timed out, broken off."""

    code = "N-204"
    title = "The server did not answer"
    default_message = "The server did not answer. Your pictures are safe here and are sent later."


class ServerFailed(NetworkError):
    """The server answered with a failure of its own, or with something that is not an answer."""

    code = "N-205"
    title = "The server failed"
    default_message = "The server reported a failure of its own. Your pictures are safe here; try again later."


class NotAGlassineServer(NetworkError):
    """Whatever answers at this address is not a Glassine server."""

    code = "N-206"
    title = "This is not a Glassine server"
    default_message = "Something answers at this address, but it is not a Glassine server. Check the address."
    retryable = False


class BadAddress(NetworkError):
    """The server address is malformed."""

    code = "N-207"
    title = "The address is not right"
    default_message = "Write the address like pictures.example.org or http://localhost:5000."
    retryable = False
