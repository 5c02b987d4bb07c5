"""Passkeys of several people: their lines in the policy, and Chromium's virtual authenticator that holds one of them."""

from __future__ import annotations

import base64
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.async_api import CDPSession, Page

from sandbox.driver import Sandbox
from tests.bot.passkeys import b64

EMERGENCY = "directory-admin-emergency"
SETTING = "COUNTERSIGN_SIGN_LISTEN"


@dataclass
class Keyring:
    """The page is served on `port` of localhost; a key is named by the label of its person."""

    port: int
    rp: str = "localhost"
    private: dict[str, ec.EllipticCurvePrivateKey] = field(default_factory=dict)
    held: dict[Page, CDPSession] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def listen(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def served(self, sandbox: Sandbox) -> None:
        """Waits until the page is there: on PostgreSQL a bot that was killed leads again once its lease is over."""

        def there() -> bool:
            with socket.socket() as one:
                return one.connect_ex(("127.0.0.1", self.port)) == 0

        await sandbox.wait_for(there, 20)

    def key(self, name: str) -> ec.EllipticCurvePrivateKey:
        """The private key of this name, made at its first use."""
        return self.private.setdefault(name, ec.generate_private_key(ec.SECP256R1()))

    def line(self, name: str, *, synced: bool = False) -> str:
        """The key's line under `passkeys`."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        spki = base64.b64encode(self.key(name).public_key().public_bytes(serialization.Encoding.DER, form)).decode()
        return f"{{id: {b64(credential(name))}, key: {spki}, rp: {self.rp}, synced: {str(synced).lower()}, label: {name}}}"

    def name(self, matrix: Path, label: str, *lines: str) -> None:
        """The policy names these keys for somebody, and no others."""
        rows = matrix.read_text().split("\n")
        at = next(n for n, row in enumerate(rows) if row.startswith(f"  {label}: {{"))
        bare = rows[at].split(", passkeys: [")[0].rstrip("}")
        rows[at] = f"{bare}, passkeys: [{', '.join(lines)}]}}" if lines else f"{bare}}}"
        matrix.write_text("\n".join(rows))

    def write(
        self, folder: Path, people: Sequence[str] = ("olga", "dev"), books: Sequence[str] = (EMERGENCY,),
        signature: str = "required", more: str = "",
    ) -> None:  # fmt: skip
        """These runbooks demand a signature, and the policy names a key of each of these people."""
        for book in books:
            file = folder / f"{book}.md"
            file.write_text(file.read_text().replace("\nright:", f"\nsignature: {signature}\nright:", 1))
        matrix = folder / "responsibility.yaml"
        for label in people:
            self.name(matrix, label, self.line(label))
        matrix.write_text(f"{matrix.read_text()}\nsigning: {{rp_id: {self.rp}, origin: '{self.origin}'{more}}}\n")

    async def hold(self, page: Page, name: str, *, verified: bool = True, count: int = 1, eligible: bool = False) -> None:
        """The page has an authenticator with this key, and with no other."""
        cdp = self.held.get(page) or await page.context.new_cdp_session(page)
        if page in self.held:
            await cdp.send("WebAuthn.disable")
        self.held[page] = cdp
        await cdp.send("WebAuthn.enable")
        made = await cdp.send("WebAuthn.addVirtualAuthenticator", {"options": authenticator(verified=verified)})
        form = serialization.PrivateFormat.PKCS8
        private = self.key(name).private_bytes(serialization.Encoding.DER, form, serialization.NoEncryption())
        about: dict[str, Any] = {
            "credentialId": base64.b64encode(credential(name)).decode(), "isResidentCredential": True, "rpId": self.rp,
            "privateKey": base64.b64encode(private).decode(), "userHandle": base64.b64encode(name.encode()).decode(),
            "signCount": count, "backupEligibility": eligible, "backupState": eligible,
        }  # fmt: skip
        await cdp.send("WebAuthn.addCredential", {"authenticatorId": made["authenticatorId"], "credential": about})


def authenticator(*, verified: bool = True) -> dict[str, object]:
    """A virtual authenticator of this device, that checks its holder or not."""
    return {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": verified,
        "isUserVerified": verified, "automaticPresenceSimulation": True,
    }  # fmt: skip


def credential(name: str) -> bytes:
    """The credential id of the key of this name."""
    return f"passkey-of-{name}".ljust(24, ".").encode()
