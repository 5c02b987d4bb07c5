"""Policy keys of signed decisions: the relying party, and whose passkeys count. Source: signed-decisions.md, "Policy".

A passkey's public key is in the organisation's own policy, so that neither Slack nor the bot's host can add one unseen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Signature = Literal["none", "required", "device_bound"]


@dataclass(frozen=True, slots=True)
class Passkey:
    """`id` is the credential id, base64url as WebAuthn writes it; `spki` the public key, DER SubjectPublicKeyInfo.

    `rp` is the relying party that it was made for; `synced` the backup-eligible flag at its enrolment; `attested` whether its
    attestation chained to the roots of the policy then.
    """

    id: str
    spki: bytes
    rp: str
    synced: bool
    label: str = ""
    attested: bool = False

    def counts_for(self, signature: Signature, rp_id: str) -> bool:
        """Whether a yes under a runbook with this `signature` may be signed with it."""
        return self.rp == rp_id and not (signature == "device_bound" and self.synced)


@dataclass(frozen=True, slots=True)
class FormerOrigin:
    """Earlier addresses of the page; signatures made there still verify."""

    origin: str
    rp_id: str


@dataclass(frozen=True, slots=True)
class Signing:
    """Where decisions are signed. `unendorsed_delay` in seconds of policy time; `attestation` is the path of a PEM file of the set."""

    rp_id: str
    origin: str
    former_origins: tuple[FormerOrigin, ...] = ()
    when_slack_is_down: Literal["nobody", "signed"] = "nobody"
    operator_acts: Literal["none", "required"] = "none"
    unendorsed_delay: int = 72 * 3600
    attestation: str | None = None

    def origins_of(self, rp_id: str) -> frozenset[str]:
        """The origins at which a key of this relying party may have signed."""
        former = {place.origin for place in self.former_origins if place.rp_id == rp_id}
        return frozenset(former | ({self.origin} if rp_id == self.rp_id else set()))

    @property
    def rp_ids(self) -> frozenset[str]:
        """Every relying party whose keys the policy may contain."""
        return frozenset({self.rp_id, *(place.rp_id for place in self.former_origins)})
