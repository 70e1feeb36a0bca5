"""The key files of one folder: named, listed, created, imported, exported.

A key file opens only with its passphrase; names and dates beside it are no secrets. The file is written, synced,
opened again and decrypted before anything relies on it. Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import json
import logging
import os
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktop import errors
from desktop.config import make_private_folder
from desktop.models import IsCancelled, Report, never_cancelled, no_report

if TYPE_CHECKING:
    from desktop.crypto.classic_keys import ClassicPrivateKey, ClassicPublicKey
    from desktop.crypto.keys import PrivateKey, PublicKey

log = logging.getLogger(__name__)

SUFFIX = ".glassine-key"
MAX_IMPORT = 256 * 1024
MAX_NAME = 200
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One key pair in the store.

    Attributes:
        fingerprint: 64 lower-case hex digits.
        public: The public key.
        name: What the person calls it.
        created: When it came into this store (aware, UTC).
        is_default: Whether it is used unless another is chosen.
        path: Its key file.
    """

    fingerprint: str
    public: PublicKey
    name: str
    created: datetime
    is_default: bool
    path: Path


_Entries = list[KeyEntry]  # KeyStore.list hides the builtin inside the class


class KeyStore:
    """The key files of one folder. Safe to use from several threads and programs."""

    def __init__(self, folder: Path) -> None:
        """Nothing is read or created yet."""
        self.folder = folder
        self._lock = threading.RLock()

    # -- looking --------------------------------------------------------------------------------------------------

    def list(self) -> _Entries:
        """Return the keys in the order of their creation; unreadable files are left out (see :meth:`unreadable`)."""
        return self._scan()[0]

    def unreadable(self) -> dict[Path, errors.GlassineError]:
        """Return the key files that cannot be read, each with the reason."""
        return self._scan()[1]

    def remove_unused(self, fingerprint: str) -> None:
        """Remove a key that was made a moment ago and never used; any other would be lost with its pictures."""
        with self._changing() as index:
            index.pop(fingerprint, None)
        self._path(fingerprint).unlink(missing_ok=True)

    def get(self, fingerprint: str) -> KeyEntry:
        """Return one key.

        Raises:
            KeyMissing: It is not in this store.
            KeyFileUnreadable, KeyFileDamaged: Its file is there and cannot be read.
        """
        entries, unreadable = self._scan()
        for entry in entries:
            if entry.fingerprint == fingerprint:
                return entry
        problem = unreadable.get(self._path(fingerprint))
        if problem is not None:
            raise problem
        raise errors.KeyMissing

    def open(self, fingerprint: str, passphrase: str) -> PrivateKey:
        """Open a key file.

        Raises:
            WrongKey: The passphrase is not right.
            KeyMissing, KeyFileUnreadable, KeyFileDamaged, TooLarge: There is no key file to try it on.
        """
        from desktop.crypto import key_file

        key = key_file.open_with_passphrase(self._read(fingerprint), passphrase)
        if key.fingerprint != fingerprint:
            raise errors.KeyFileUnreadable("The key file holds another key than its name says.")
        return key

    # -- adding ---------------------------------------------------------------------------------------------------

    def create(
        self,
        name: str,
        passphrase: str,
        bits: int = 3072,
        report: Report = no_report,
        cancelled: IsCancelled = never_cancelled,
    ) -> KeyEntry:
        """Make a new key pair and keep it; the work is reported in two steps."""
        from desktop.crypto.keys import PrivateKey

        report(0, 2)
        key = PrivateKey.generate(bits)
        if cancelled():
            raise errors.Cancelled
        report(1, 2)
        entry = self.add(key, name, passphrase)
        report(2, 2)
        return entry

    def add(self, key: PrivateKey, name: str, passphrase: str) -> KeyEntry:
        """Keep a key pair under a passphrase.

        Raises:
            NameTaken: This key is here already; its passphrase was not changed.
            StorageFull, StorageReadOnly, FileUnreadable: It cannot be written; nothing is left behind.
        """
        from desktop.crypto import key_file

        self._write_key_file(self._path(key.fingerprint), key_file.create(key, passphrase), passphrase)
        with self._changing() as index:
            index[key.fingerprint] = {"name": _clean(name), "created": datetime.now(UTC).isoformat()}
        return self.get(key.fingerprint)

    def import_file(self, path: Path, passphrase: str | None, name: str, new_passphrase: str) -> KeyEntry:
        """Import a private key from a file of any known format and keep it under a new passphrase.

        Raises:
            WrongKey: The file needs a passphrase, or another one.
            KeyRefused, Unsupported: It is not a key that Glassine uses.
            NameTaken: This key is here already.
        """
        from desktop.crypto import key_formats, safe_write
        from desktop.crypto.keys import PrivateKey

        untrusted = safe_write.read_bounded(path, MAX_IMPORT)
        if len(untrusted) > MAX_IMPORT:
            raise errors.TooLarge("This file is far too large to be a key.")
        key: Any = key_formats.import_private(untrusted, passphrase).key
        if not isinstance(key, PrivateKey):
            raise errors.NotAKey(
                "This is a key of the classic scheme. It opens old pictures, but it cannot protect any."
            )
        return self.add(key, name or path.stem, new_passphrase)

    def import_classic(self, path: Path) -> ClassicPrivateKey:
        """Keep a classic ``rsa.txt``, as it is: what it opens is not protected, so neither is the key.

        Raises:
            KeyRefused: It is not one.
        """
        from desktop.crypto import safe_write
        from desktop.crypto.classic_keys import ClassicPrivateKey

        untrusted = safe_write.read_bounded(path, MAX_IMPORT)
        key = ClassicPrivateKey.from_text(untrusted.decode("ascii", "replace").strip())
        make_private_folder(self.folder)
        with self._lock, safe_write.new_file(self._classic_path(key.n), replace=True) as file:
            file.write(key.to_text().encode("ascii"))
        return key

    def classic_key(self, public: ClassicPublicKey) -> ClassicPrivateKey | None:
        """Return the imported classic private key that belongs to a public one, or None."""
        from desktop.client.classic_pictures import belongs
        from desktop.crypto import safe_write
        from desktop.crypto.classic_keys import ClassicPrivateKey

        path = self._classic_path(public.n)
        if not path.exists():
            return None
        try:
            untrusted = safe_write.read_own(path, MAX_IMPORT)
            key = ClassicPrivateKey.from_text(untrusted.decode("ascii", "replace"))
        except errors.GlassineError as error:
            raise errors.KeyFileUnreadable(details=error.message) from error
        return key if belongs(key, public) else None

    # -- changing -------------------------------------------------------------------------------------------------

    def change_passphrase(self, fingerprint: str, old: str, new: str) -> None:
        """Replace the passphrase; the old file stays until the new one was written and opened.

        Raises:
            WrongKey: The old passphrase is not right.
        """
        from desktop.crypto import key_file

        with self._lock:
            changed = key_file.change_passphrase(self._read(fingerprint), old, new)
            self._write_key_file(self._path(fingerprint), changed, new, replace=True)

    def rename(self, fingerprint: str, name: str) -> None:
        """Give a key another name; raises KeyMissing."""
        self.get(fingerprint)
        self.note(fingerprint, name=_clean(name))

    def set_default(self, fingerprint: str) -> None:
        """Use this key unless another is chosen; raises KeyMissing."""
        self.get(fingerprint)
        with self._changing() as index:
            for known in {fingerprint, *index}:
                index[known] = index.get(known, {}) | {"default": known == fingerprint}

    def note(self, fingerprint: str, **notes: Any) -> None:
        """Remember things about a key beside its name, no secrets; None forgets one. Lost with the list of names."""
        with self._changing() as index:
            kept = index.get(fingerprint, {}) | notes
            index[fingerprint] = {name: value for name, value in kept.items() if value is not None}

    def notes(self, fingerprint: str) -> dict[str, Any]:
        """Return what is remembered about a key, untrusted: anybody could have written it."""
        return dict(self._index().get(fingerprint, {}))

    def delete(self, fingerprint: str) -> None:
        """Remove a key file for good. What only this key opens is lost with its last copy.

        Raises:
            KeyMissing: It is not in this store.
            StorageReadOnly, FileUnreadable: It cannot be removed.
        """
        from desktop.crypto.safe_write import sync_folder, writing_error

        with self._lock:
            path = self._path(fingerprint)
            if not path.exists():
                raise errors.KeyMissing
            try:
                path.unlink()
            except OSError as problem:
                raise writing_error(problem, path) from problem
            sync_folder(self.folder)
        with self._changing() as index:
            index.pop(fingerprint, None)

    def read(self, fingerprint: str) -> bytes:
        """Return a key file as it is; raises KeyMissing or KeyFileUnreadable."""
        return self._read(fingerprint)

    def write(self, fingerprint: str, content: bytes, passphrase: str, name: str = "") -> KeyEntry:
        """Keep a key file that opens with this passphrase, in the place of one of the same key.

        It is written, synced, read back and decrypted before it takes that place.

        Raises:
            WrongKey, KeyFileDamaged: It does not open so, or is another key's; nothing was changed.
            StorageFull, StorageReadOnly, FileUnreadable: It cannot be written; nothing was changed.
        """
        from desktop.crypto import key_file

        if key_file.read_public(content).fingerprint != fingerprint:
            raise errors.WrongKey("This is the key file of another key. Nothing was changed.")
        with self._lock:
            known = fingerprint in self._index()
            self._write_key_file(self._path(fingerprint), content, passphrase, replace=True)
            if not known:
                self.note(fingerprint, name=_clean(name), created=datetime.now(UTC).isoformat())
        return self.get(fingerprint)

    def shrink(self, fingerprint: str, content: bytes) -> None:
        """Put the same key file with fewer slots in its place; needs no secret, because nothing new is in it.

        Raises:
            WrongKey: It is another key's, or holds a slot that the present file does not.
            StorageFull, StorageReadOnly, FileUnreadable: It cannot be written; nothing was changed.
        """
        from desktop.crypto import key_file, safe_write

        with self._lock:
            kinds = set(key_file.slot_kinds(content))
            if content != key_file.with_slots_only(self._read(fingerprint), kinds):
                raise errors.WrongKey("This is not the same key file with fewer ways to open it. Nothing was changed.")
            with safe_write.new_file(self._path(fingerprint), replace=True) as file:
                file.write(content)

    # -- exporting ------------------------------------------------------------------------------------------------

    def export_key_file(self, fingerprint: str, target: Path) -> None:
        """Copy the key file as it is; it opens with the same passphrase. Never overwrites."""
        self._write_export(target, self._read(fingerprint))

    def export_private(
        self, fingerprint: str, passphrase: str, format: str, new_passphrase: str | None, target: Path
    ) -> None:
        """Write the private key as ``pkcs8``, ``pkcs1`` or ``openssh``, encrypted if a new passphrase is given.

        Raises:
            WrongKey: The passphrase is not right.
            NameTaken: The target is there already.
        """
        from desktop.crypto import key_formats

        key = self.open(fingerprint, passphrase)
        exported: Any = key_formats.export_private(key, format, new_passphrase)  # type: ignore[arg-type]
        self._write_export(target, exported if isinstance(exported, bytes) else exported.encode())

    def export_public(self, fingerprint: str, target: Path) -> None:
        """Write the public key as PEM. Never overwrites."""
        self._write_export(target, self.get(fingerprint).public.pem.encode())

    # -- inside ---------------------------------------------------------------------------------------------------

    def _path(self, fingerprint: str) -> Path:
        if not _FINGERPRINT.fullmatch(fingerprint):
            raise errors.KeyMissing
        return self.folder / f"{fingerprint}{SUFFIX}"

    def _classic_path(self, n: int) -> Path:
        return self.folder / f"classic-{n}.rsa.txt"

    def _read(self, fingerprint: str) -> bytes:
        from desktop.crypto import key_file

        path = self._path(fingerprint)
        if not path.exists():
            raise errors.KeyMissing
        if not path.is_file():
            raise errors.KeyFileUnreadable("What is in the key file's place is not a file.")
        return key_file.read_key_file(path)

    def _scan(self) -> tuple[_Entries, dict[Path, errors.GlassineError]]:
        from desktop.crypto import key_file

        index = self._index()
        found: list[tuple[datetime, PublicKey, str, bool, Path]] = []
        unreadable: dict[Path, errors.GlassineError] = {}
        for path in sorted(self.folder.glob(f"*{SUFFIX}")) if self.folder.is_dir() else []:
            fingerprint = path.name.removesuffix(SUFFIX)
            try:
                public = key_file.read_public(self._read(fingerprint))
                if public.fingerprint != fingerprint:
                    raise errors.KeyFileUnreadable("The key file holds another key than its name says.")
            except errors.GlassineError as error:
                unreadable[path] = error
                continue
            entry = index.get(fingerprint, {})
            name = entry.get("name")
            found.append(
                (
                    _created(entry, path),
                    public,
                    name if isinstance(name, str) and name else f"Key {fingerprint[:8]}",
                    entry.get("default") is True,
                    path,
                )
            )
        found.sort(key=lambda item: (item[0], item[1].fingerprint))
        chosen = next((item[1] for item in found if item[3]), found[0][1] if found else None)
        return [
            KeyEntry(public.fingerprint, public, name, created, public == chosen, path)
            for created, public, name, _, path in found
        ], unreadable

    def _write_key_file(self, path: Path, content: bytes, passphrase: str, *, replace: bool = False) -> None:
        from desktop.crypto import key_file

        make_private_folder(self.folder)
        with self._lock:
            try:
                key_file.write_key_file(path, content, passphrase, replace=replace)
            except errors.NameTaken as error:
                raise errors.NameTaken("This key is here already. Its passphrase was not changed.") from error

    def _write_export(self, target: Path, content: bytes) -> None:
        from desktop.crypto import safe_write

        with safe_write.new_file(target) as file:
            file.write(content)

    @property
    def _index_path(self) -> Path:
        return self.folder / "names.json"

    def _index(self) -> dict[str, dict[str, Any]]:
        """Names and dates by fingerprint; a lost or broken index costs names only."""
        from desktop.crypto import safe_write

        try:
            with safe_write.open_own(self._index_path) as file:
                document = json.loads(file.read(1 << 20))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError):
            log.warning("the names of the keys cannot be read")
            return {}
        if not isinstance(document, dict):
            return {}
        return {key: value for key, value in document.items() if isinstance(value, dict)}

    @contextmanager
    def _changing(self) -> Iterator[dict[str, dict[str, Any]]]:
        """Change names and dates, which are written if that changed them; meanwhile other threads and programs wait."""
        import fcntl

        from desktop.crypto import safe_write

        with self._lock, ExitStack() as held:
            with suppress(OSError):  # a folder that cannot be locked costs names at most
                descriptor = os.open(self.folder, os.O_RDONLY | os.O_CLOEXEC)
                held.callback(os.close, descriptor)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            index = self._index()
            before = json.dumps(index)
            yield index
            if json.dumps(index) != before:
                with safe_write.new_file(self._index_path, replace=True) as file:
                    file.write(json.dumps(index, indent=1).encode())


def _clean(name: str) -> str:
    return "".join(char for char in name if char.isprintable())[:MAX_NAME].strip()


def _created(entry: dict[str, Any], path: Path) -> datetime:
    try:
        created = datetime.fromisoformat(entry["created"])
        return created if created.tzinfo is not None else created.replace(tzinfo=UTC)
    except (KeyError, TypeError, ValueError):
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
