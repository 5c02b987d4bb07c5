"""Signed decisions: the relying party, the passkeys, and whether enough people hold one that counts.

Refused: a passkey of a provider's person; one credential twice; a key that no authenticator of ours signs with; a key of another
relying party; a signature without `signing`; a quorum that people with counting keys cannot give. Warned: what should be signed and
is not. Source: signed-decisions.md, "Policy".
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from bot.domain.policy.model import Domain, EscalationPolicy, NamedPerson, Role
from bot.domain.policy.people import Humans, Person
from bot.domain.policy.provider import provider_of
from bot.domain.policy.signing import FormerOrigin, Passkey, Signature, Signing
from runbooks.parsing.parsed_file import ParsedFile
from runbooks.parsing.runbook_schema import RunbookShape
from runbooks.parsing.schema import PasskeyShape, SigningShape
from runbooks.parsing.units import seconds
from runbooks.parsing.yaml_positions import Path
from runbooks.rules.people import Parties
from runbooks.rules.quorum_reach import DomainPeople, each_by_another

LEAST_DELAY = 24 * 3600
_ROLES: tuple[Role, ...] = ("owner", "deputies", "on_call", "risk_owner")  # in the order of DomainPeople


def read_signing(sheet: ParsedFile, shape: SigningShape | None, files: Mapping[str, bytes]) -> Signing | None:
    """The key `signing`, judged; None where it is absent, or where the matrix cannot be read."""
    if not isinstance(shape, SigningShape):  # what is left of a matrix with errors holds plain mappings
        return None
    _origin(sheet, shape.origin, shape.rp_id, ("signing", "origin"))
    for index, place in enumerate(shape.former_origins or ()):
        _origin(sheet, place.origin, place.rp_id, ("signing", "former_origins", index))
    delay = seconds(shape.unendorsed_delay)
    if delay < LEAST_DELAY:
        text = f"`unendorsed_delay` {shape.unendorsed_delay} is too short for somebody to notice: write `24h` or more."
        sheet.error(("signing", "unendorsed_delay"), text)
    if shape.operator_acts == "none":
        text = "Erase, prune and new-epoch are confirmed without a signature: write `operator_acts: required`."
        sheet.warning(("signing",), text)
    _attestation(sheet, shape.attestation, files)
    former = tuple(FormerOrigin(place.origin, place.rp_id) for place in shape.former_origins or ())
    return Signing(
        shape.rp_id, shape.origin, former, shape.when_slack_is_down, shape.operator_acts, delay, shape.attestation
    )


def with_passkeys(parties: Parties, people: tuple[NamedPerson, ...]) -> tuple[NamedPerson, ...]:
    """The lines of `people:` with their passkeys."""
    seen: dict[str, str] = {}
    shapes = parties.matrix.shape.people or {}
    return tuple(
        replace(named, passkeys=_passkeys(parties, named.label, shapes[named.label].passkeys, named.person, seen))
        for named in people
    )


def _passkeys(
    parties: Parties, label: str, shapes: Sequence[PasskeyShape] | None, person: Person, seen: dict[str, str]
) -> tuple[Passkey, ...]:
    sheet = parties.matrix.sheet
    if shapes and (provider := provider_of(parties.providers.values(), parties.humans, person)):
        text = f"{label} belongs to provider `{provider.id}`, and nobody of a provider decides: remove the passkeys."
        sheet.error(("people", label, "passkeys"), text)
    return tuple(
        found
        for index, shape in enumerate(shapes or ())
        if (found := _passkey(parties, label, shape, ("people", label, "passkeys", index), seen))
    )


def check_signature(
    sheet: ParsedFile,
    shape: RunbookShape,
    roles: Sequence[Role],
    domain: Domain,
    asked: DomainPeople,
    people: Collection[NamedPerson],
    humans: Humans,
    signing: Signing | None,
) -> None:
    """Whether a runbook's `signature` can be met, and whether one that has none should have it. `asked`: as `ever_asked` says."""
    signature: Signature = shape.signature or "none"
    if signature == "none":
        _unsigned(sheet, shape, signing)
    elif signing is None:
        sheet.error(
            ("signature",), "`signature` needs `signing` in the matrix: add `signing: {rp_id: …, origin: …}` there."
        )
    elif shape.right != "autonomous" and not _reachable(shape, roles, asked, people, humans, signing, signature):
        sheet.error(
            ("signature",),
            f"Those of domain `{domain.id}` who are asked and have a passkey that counts cannot give {shape.approvals or 1} "
            f"approval{'s' if (shape.approvals or 1) > 1 else ''}: add passkeys to `people` first, and `signature` in a later change.",
        )


def ever_asked(
    shape: RunbookShape, roles: Sequence[Role], ladder: EscalationPolicy | None, around: DomainPeople
) -> DomainPeople:
    """Those around a domain whom a request under the runbook asks at minute 0 or by a later step; everybody where no ladder is known."""
    asked: set[Role] = (
        {"owner", *roles, *(step.role for step in ladder.steps if step.action == "notify")} if ladder else set(_ROLES)
    )
    if shape.right == "immediate":
        asked |= {"deputies", "on_call"}
    if (shape.approvals or 1) > 1:
        asked |= {"deputies"}
    return DomainPeople(*(around.role(role) if role in asked else frozenset[str]() for role in _ROLES))


def _origin(sheet: ParsedFile, origin: str, rp_id: str, path: Path) -> None:
    parts = urlsplit(origin)
    host = parts.hostname or ""
    if parts.scheme != "https" and host != "localhost":
        sheet.error(path, f"`{origin}` is not secure, and browsers refuse passkeys there: write an `https://` address.")
    elif parts.path or parts.query or parts.fragment or parts.username:
        sheet.error(path, f"`{origin}` is more than an origin: write scheme and host only, like `https://{host}`.")
    elif host != rp_id and not host.endswith(f".{rp_id}"):
        sheet.error(path, f"`rp_id` {rp_id} is neither {host} nor a domain above it: browsers would refuse; correct one.")


def _passkey(parties: Parties, label: str, shape: PasskeyShape, path: Path, seen: dict[str, str]) -> Passkey | None:
    from bot.decision_log.passkeys import key_fault  # cryptography: only where a policy names keys

    sheet, signing = parties.matrix.sheet, parties.matrix.shape.signing
    first = seen.setdefault(shape.id, label)
    if first != label or sum(key.id == shape.id for key in (parties.matrix.shape.people or {})[label].passkeys or ()) > 1:
        sheet.error((*path, "id"), f"This credential stands under `{first}` already: one key belongs to one person, once.")
    rp_ids = {signing.rp_id, *(place.rp_id for place in signing.former_origins or ())} if signing else set()
    if signing is None:
        sheet.error(path, "Passkeys need `signing`: add `signing: {rp_id: …, origin: …}` to the matrix.")
    elif shape.rp not in rp_ids:
        sheet.error((*path, "rp"), f"`{shape.rp}` is neither `rp_id` nor of a former origin: enrol the key again.")
    try:
        spki = base64.b64decode(shape.key, validate=True)
    except (binascii.Error, ValueError):
        spki = b""
    fault = key_fault(spki)
    if fault is not None:
        sheet.error(
            (*path, "key"), f"This key cannot be used: {fault}. Paste the line that `countersign passkey enrol` prints."
        )
        return None
    return Passkey(shape.id, spki, shape.rp, shape.synced, shape.label or "", attested=shape.attested or False)


def _attestation(sheet: ParsedFile, path: str | None, files: Mapping[str, bytes]) -> None:
    """Whether the roots can be read. A set that was accepted before the file counted as one of its own has none: only a warning."""
    if path is None:
        return
    from bot.decision_log.passkeys import root_certificates

    where = ("signing", "attestation")
    if path not in files:
        sheet.warning(where, f"The file {path} is not in this folder: no passkey can be enrolled until you add it.")
    elif not root_certificates(files[path]):
        sheet.error(where, f"{path} has no certificate in PEM form: add the roots of your keys' vendor.")


def _reachable(
    shape: RunbookShape,
    roles: Sequence[Role],
    around: DomainPeople,
    people: Collection[NamedPerson],
    humans: Humans,
    signing: Signing,
    signature: Signature,
) -> bool:
    """Whether people with counting keys can give the quorum, each required role by a person of its own."""
    keyed = {
        humans.key(named.person)
        for named in people
        if any(key.counts_for(signature, signing.rp_id) for key in named.passkeys)
    }
    held = DomainPeople(around.owner & keyed, around.deputies & keyed, around.on_call & keyed, around.risk_owner & keyed)
    slots = [held.role(role) for role in roles]
    if roles and not {"owner", "deputies"} & set(roles):
        slots.append(held.owner | held.deputies)
    everybody = held.owner | held.deputies | held.on_call | held.risk_owner
    return len(everybody) >= (shape.approvals or 1) and each_by_another(slots)


def _unsigned(sheet: ParsedFile, shape: RunbookShape, signing: Signing | None) -> None:
    """What should be signed: access without a prior yes, a high risk, and what takes two people."""
    high = shape.break_glass is not None or shape.risk == "high" or (shape.approvals or 1) >= 2
    if signing is not None and high:
        text = "Whoever administers Slack could press these buttons: add `signature: required` once its approvers have passkeys."
        sheet.warning(("right",), text)
