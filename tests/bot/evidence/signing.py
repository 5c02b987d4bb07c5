"""A signer of tests: C2SP signed notes with the `cryptography` package and nothing of ours."""

from __future__ import annotations

import base64
import hashlib
from contextlib import closing
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pymerkle import InmemoryTree

from tests.bot.tampering import located
from tests.database import opened


class Scribe:
    """Signs what the database holds, as another log's operator would."""

    def __init__(self, origin: str, seed: int = 1) -> None:
        self.origin = origin
        self._key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        public = b"\x01" + self._key.public_key().public_bytes_raw()
        self._id = hashlib.sha256(origin.encode() + b"\n" + public).digest()[:4]
        self.vkey = f"{origin}+{self._id.hex()}+{base64.b64encode(public).decode()}\n"

    def keep(self, state_dir: Path) -> None:
        """Leaves the private key where the bot would."""
        pem = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (state_dir / "log.key").write_bytes(pem)
        (state_dir / "log.key").chmod(0o600)

    def signature(self, message: bytes) -> bytes:
        """64 bytes."""
        return self._key.sign(message)

    def note(self, size: int, root: bytes) -> str:
        body = f"{self.origin}\n{size}\n{base64.b64encode(root).decode()}\n"
        signature = base64.b64encode(self._id + self._key.sign(body.encode())).decode()
        return f"{body}\n— {self.origin} {signature}\n"

    def sign(self, database: Path) -> int:
        """Stores a checkpoint over all entries, its root from a foreign tree; its size."""
        tree = InmemoryTree(algorithm="sha256")
        with closing(opened(located(database), begins=True)) as raw, raw:
            for (data,) in raw.execute("SELECT data FROM log_entry ORDER BY idx").fetchall():
                tree.append_entry(data)
            size = tree.get_size()
            root = tree.get_root()
            if raw.execute("SELECT 1 FROM log_checkpoint WHERE size = ?", (size,)).fetchone() is None:
                raw.execute("INSERT INTO log_checkpoint VALUES (?, ?, ?, 0)", (size, root, self.note(size, root)))
        return int(size)
