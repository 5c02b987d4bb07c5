"""Passkeys in the policy: which lines are refused, and when a signature could never be given."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bot.domain.policy.signing import FormerOrigin, Passkey, Signing
from runbooks.loader import Loaded, load_files
from runbooks.parsing.file_references import named_files
from tests.bot.attestation import Maker
from tests.rules.test_policy_faults import B, E, M, X

Changed = Callable[[str, str, str], tuple[dict[str, bytes], int]]
RP = "countersign.example.org"
SIGNING = f"signing: {{rp_id: {RP}, origin: 'https://{RP}', operator_acts: required}}\n"
END = "same_person: [[U0ONC1, U0ONC9]]\n"
OLGA, DEV = "name: Olga Novak", "name: Dev Rao"


def spki(curve: ec.EllipticCurve | None = None) -> bytes:
    public = ec.generate_private_key(curve or ec.SECP256R1()).public_key()
    return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


KEY = spki()


def line(id: str = "A" * 22, key: bytes = KEY, rp: str = RP, synced: str = "false") -> str:
    return f"{{id: {id}, key: {base64.b64encode(key).decode()}, rp: {rp}, synced: {synced}, label: In the safe}}"


def loaded(changed: Changed, signing: str = SIGNING, *edits: tuple[str, str, str]) -> Loaded:
    files, _ = changed(M, END, END + signing)
    for file, old, new in edits:
        assert old in files[file].decode()
        files[file] = files[file].replace(old.encode(), new.encode(), 1)
    return load_files(files)


def keys(name: str, *lines: str) -> tuple[str, str, str]:
    return (M, name, f"{name}, passkeys: [{', '.join(lines)}]")


def test_signing_and_passkeys_are_read(changed: Changed) -> None:
    former = SIGNING.replace("{", "{former_origins: [{origin: 'https://old.example', rp_id: old.example}], ", 1)
    found = loaded(changed, former, keys(OLGA, line(), line("B" * 22, rp="old.example", synced="true")))
    assert found.policy is not None, found.errors
    assert found.policy.signing == Signing(
        RP, f"https://{RP}", (FormerOrigin("https://old.example", "old.example"),), operator_acts="required"
    )
    olga = next(named for named in found.policy.people if named.label == "olga")
    assert olga.passkeys == (
        Passkey("A" * 22, KEY, RP, synced=False, label="In the safe"),
        Passkey("B" * 22, KEY, "old.example", synced=True, label="In the safe"),
    )


@pytest.mark.parametrize(
    ("signing", "words"),
    [
        ("signing: {rp_id: 127.0.0.1, origin: 'https://127.0.0.1'}\n", "an IP address can hold no passkeys"),
        (f"signing: {{rp_id: {RP}, origin: 'http://{RP}'}}\n", "write an `https://` address"),
        (f"signing: {{rp_id: {RP}, origin: 'https://{RP}/sign'}}\n", "scheme and host only"),
        (f"signing: {{rp_id: {RP}, origin: 'https://evil.example'}}\n", "correct one"),
        (SIGNING.replace("{", "{unendorsed_delay: 23h, "), "write `24h` or more"),
        (SIGNING.replace("{", "{when_slack_is_down: everybody, "), "write `nobody` or `signed`"),
    ],
)
def test_a_place_that_browsers_would_refuse_is_refused(changed: Changed, signing: str, words: str) -> None:
    (error,) = loaded(changed, signing).errors
    assert words in error.text


ROOTED = SIGNING.replace("{", "{attestation: keys/roots.pem, ", 1)


def test_the_roots_are_a_file_of_the_set_and_are_read(changed: Changed) -> None:
    files, _ = changed(M, END, END + ROOTED)
    assert "keys/roots.pem" in named_files(files)
    missing = load_files(files)
    assert missing.policy is not None  # sets of before the file counted
    assert any("no passkey can be enrolled" in warning.text for warning in missing.warnings)
    (error,) = load_files(files | {"keys/roots.pem": b"-----BEGIN CERTIFICATE-----\nnone\n"}).errors
    assert "has no certificate" in error.text
    found = load_files(files | {"keys/roots.pem": Maker("Named Keys").pem.encode()})
    assert found.policy is not None, found.errors
    assert "keys/roots.pem" in {file.path for file in found.policy.files}


def test_localhost_may_be_served_without_tls(changed: Changed) -> None:
    found = loaded(changed, "signing: {rp_id: localhost, origin: 'http://localhost:3002'}\n")
    assert found.policy is not None, found.errors
    assert any("operator_acts: required" in warning.text for warning in found.warnings)


@pytest.mark.parametrize(
    ("edits", "words"),
    [
        ([keys(OLGA, line()), keys(DEV, line())], "one key belongs to one person"),
        ([keys(OLGA, line(), line())], "one key belongs to one person"),
        ([keys(OLGA, line(rp="evil.example"))], "enrol the key again"),
        ([keys(OLGA, line(key=spki(ec.SECP384R1())))], "P-256"),
        ([keys(OLGA, line(key=b"x" * 60))], "not a public key"),
        ([keys("name: Pat Engineer", line())], "nobody of a provider decides"),
    ],
)
def test_a_passkey_that_proves_nothing_is_refused(changed: Changed, edits: list[tuple[str, str, str]], words: str) -> None:
    (error,) = loaded(changed, SIGNING, *edits).errors
    assert words in error.text


def test_passkeys_without_signing_are_refused(changed: Changed) -> None:
    (error,) = loaded(changed, "", keys(OLGA, line())).errors
    assert "Passkeys need `signing`" in error.text


def test_a_signature_without_signing_is_refused(changed: Changed) -> None:
    (error,) = loaded(changed, "", (B, "right: immediate", "right: immediate\nsignature: required")).errors
    assert "needs `signing`" in error.text


SIGNED = (B, "right: immediate", "right: immediate\nsignature: %s")


@pytest.mark.parametrize(
    ("signature", "edits", "reached"),
    [
        ("required", [], False),
        ("required", [keys(OLGA, line())], True),
        ("required", [keys(OLGA, line(synced="true"))], True),
        ("device_bound", [keys(OLGA, line(synced="true"))], False),
        ("device_bound", [keys(OLGA, line())], True),
        ("none", [], True),
    ],
)
def test_a_signature_needs_people_with_a_key_that_counts(
    changed: Changed, signature: str, edits: list[tuple[str, str, str]], reached: bool
) -> None:
    file, old, new = SIGNED
    found = loaded(changed, SIGNING, *edits, (file, old, new % signature))
    assert [error.text for error in found.errors if "cannot give 1 approval:" not in error.text] == []
    assert (found.policy is not None) is reached


def test_a_quorum_counts_keys_of_each_required_role(changed: Changed) -> None:
    signed = (E, "right: approval", "right: approval\nsignature: required")
    found = loaded(changed, SIGNING, keys(OLGA, line()), keys(DEV, line("B" * 22)), signed)
    (error,) = found.errors
    assert "cannot give 2 approvals" in error.text
    risk = (M, "  dev: {", f"  rita: {{id: U0RISK, name: Rita, passkeys: [{line('C' * 22)}]}}\n  dev: {{")
    assert loaded(changed, SIGNING, keys(OLGA, line()), risk, signed).policy is not None


@pytest.mark.parametrize("asked", [True, False])
def test_only_somebody_whom_some_step_asks_can_sign(changed: Changed, asked: bool) -> None:
    risk = (M, "  dev: {", f"  rita: {{id: U0RISK, name: Rita, passkeys: [{line()}]}}\n  dev: {{")
    rung = "      - {after: 15m, notify: risk_owner}\n"
    file, old, new = SIGNED
    found = loaded(changed, SIGNING, risk, (M, rung, rung if asked else ""), (file, old, new % "required"))
    assert ["are asked and have a passkey" in error.text for error in found.errors] == ([] if asked else [True])


def test_what_should_be_signed_and_is_not_is_warned_of(changed: Changed) -> None:
    warned = [w.file for w in loaded(changed).warnings if "signature: required" in w.text]
    assert warned == [B, E, X]
