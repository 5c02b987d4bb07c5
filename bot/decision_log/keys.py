"""The Ed25519 keys in STATE_DIR: `log.key` signs checkpoints, `permit.key` signs permits.

They are made once, as plain PEM (PKCS 8) with mode 0600 in a folder of 0700, and are never in the database. A file that
others may read is refused: it may be known already. Nothing is overwritten.
A verifier key is named after the log's origin; those of retired keys are in `log.vkeys`, newest first, a line each.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from bot.domain.decision_log.signed_note import VerifierKey, read_vkey
from bot.domain.errors import KeyFileError, NoteError

LOG_KEY, PERMIT_KEY, RETIRED = "log.key", "permit.key", "log.vkeys"
NEXT = "log.key.next"  # while the log's key is being replaced: both sign


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An Ed25519 key: `sign` takes a message and gives 64 bytes; `public` is the raw public key of 32 bytes."""

    sign: Callable[[bytes], bytes]
    public: bytes

    def vkey(self, name: str) -> VerifierKey:
        """What verifies its notes under this name."""
        return VerifierKey(name, self.public)


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the Ed25519 signature holds. A malformed key or signature does not."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


class LogKey:
    """The key that signs now, as the emergency file needs it: the last one read still serves when STATE_DIR is gone."""

    def __init__(self, state_dir: Path) -> None:
        """Raises KeyFileError."""
        self._path = state_dir / LOG_KEY
        self._retired = state_dir / RETIRED
        self._last = read_key(self._path)

    def sign(self, message: bytes) -> bytes:
        """A signature of 64 bytes."""
        with suppress(KeyFileError):
            self._last = read_key(self._path)
        return self._last.sign(message)

    def check(self, message: bytes, signature: bytes) -> bool:
        """Whether this key, or one that it followed, made the signature."""
        with suppress(KeyFileError):
            self._last = read_key(self._path)
        known = [self._last.public]
        with suppress(OSError, NoteError):
            known += [read_vkey(line).public for line in self._retired.read_text().splitlines()]
        return any(verify(public, message, signature) for public in known)


def make_keys(state_dir: Path) -> tuple[Path, ...]:
    """Makes the keys that are missing; which files are new. Raises KeyFileError."""
    return tuple(path for name in (LOG_KEY, PERMIT_KEY) if make_key(path := state_dir / name))


def make_key(path: Path) -> bool:
    """Makes one key, whole or not at all; False where there is one already. Raises KeyFileError."""
    if path.exists():
        read_key(path)
        return False
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _put(path, new_pem())
    except OSError as error:
        raise KeyFileError(
            f"The key {path} cannot be made: {error.strerror}. Give COUNTERSIGN_STATE_DIR a folder that is yours to write."
        ) from None


def new_pem() -> bytes:
    """A fresh private key, as its file holds it."""
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def read_key(path: Path) -> SigningKey:
    """One private key. Raises KeyFileError with what to do."""
    return signing_key(read_pem(path), str(path))


def read_pem(path: Path) -> bytes:
    """The bytes of a private key's file that only its owner can read. Raises KeyFileError."""
    try:
        with path.open("rb") as file:
            others, pem = os.fstat(file.fileno()).st_mode & 0o077, file.read()
    except FileNotFoundError:
        raise KeyFileError(f"There is no key {path}. `countersign keys init` makes one.") from None
    except OSError as error:
        raise KeyFileError(f"The key {path} cannot be read: {error.strerror}.") from None
    if others:
        raise KeyFileError(f"The key {path} can be read by others: `chmod 600 {path}`, or replace it if somebody did.")
    return pem


def vkeys(state_dir: Path, origin: str) -> tuple[VerifierKey, ...]:
    """Every key that ever signed this log, the one that signs now first. Raises KeyFileError, NoteError."""
    retired = state_dir / RETIRED
    lines = retired.read_text().splitlines() if retired.exists() else []
    return (read_key(state_dir / LOG_KEY).vkey(origin), *map(read_vkey, lines))


def signing_keys(state_dir: Path) -> tuple[SigningKey, ...]:
    """The keys that sign the log now, the newest first: one, or two while one replaces the other. Raises KeyFileError."""
    following = (read_key(state_dir / NEXT),) if (state_dir / NEXT).exists() else ()
    return (*following, read_key(state_dir / LOG_KEY))


def retire(state_dir: Path, origin: str) -> None:
    """The next key takes the place of the log's key, whose public half is kept. Again is nothing. Raises KeyFileError."""
    if not (state_dir / NEXT).exists():
        return
    try:
        path, line = state_dir / RETIRED, f"{read_key(state_dir / LOG_KEY).vkey(origin)}\n"
        known = path.read_text() if path.exists() else ""
        if line not in known:
            replace_file(path, (line + known).encode())
        (state_dir / NEXT).replace(state_dir / LOG_KEY)
        _keep_folder(state_dir)
    except OSError as error:
        raise KeyFileError(f"The keys in {state_dir} cannot be replaced: {error.strerror}. Try again.") from None


def vkey_lines(state_dir: Path, origin: str) -> str:
    """The same in C2SP form, a line each: what an export and `/log/log.vkey` give out. Raises KeyFileError, NoteError."""
    return "".join(f"{key}\n" for key in vkeys(state_dir, origin))


def signing_key(pem: bytes, name: str) -> SigningKey:
    """A key from its PEM. Raises KeyFileError that calls it `name`."""
    try:
        private = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        private = None
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyFileError(f"{name} holds no Ed25519 private key in PEM. Put the right file back.")
    return SigningKey(private.sign, private.public_key().public_bytes_raw())


def _put(path: Path, pem: bytes) -> bool:
    """Writes a new file to the disk under its final name; False where another process was first."""
    draft = _drafted(path, pem)
    try:
        os.link(draft, path)  # unlike a rename it never replaces an existing file
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    _keep_folder(path.parent)
    return True


def replace_file(path: Path, content: bytes) -> None:
    """Replaces a file of mode 0600 as a whole; on return it is on the disk. Raises OSError, and then the old file is unchanged."""
    _drafted(path, content).replace(path)
    _keep_folder(path.parent)


def _drafted(path: Path, content: bytes) -> Path:
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _keep_folder(folder: Path) -> None:
    """The new name itself survives a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
