"""Which changes of the keys need an endorsement, and whose."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.authority.key_changes import KeyChange, covered, endorsable, endorsers, key_change
from bot.domain.policy.model import Domain, NamedPerson, Policy, PolicyFile
from bot.domain.policy.people import Humans, Person
from bot.domain.policy.signing import Passkey, Signing
from tests.bot.building import AUDIT, DEP1, DEP2, DIRECTORY, MACH, OWNER, PE1, RISK, STRANGER, policy, runbook, with_domain

RP = "countersign.example.org"
SIGNING = Signing(RP, f"https://{RP}")


def passkey(name: str, **how: object) -> Passkey:
    return replace(Passkey(name, name.encode(), RP, synced=False), **how)  # type: ignore[arg-type]


def keys(**by: Passkey) -> tuple[NamedPerson, ...]:
    people = {"owner": OWNER, "dep1": DEP1, "risk": RISK, "mach": MACH, "audit": AUDIT, "stranger": STRANGER}
    return tuple(NamedPerson(label, people[label], label, passkeys=(key,)) for label, key in by.items())


def signed_policy(**how: object) -> Policy:
    """One signed runbook of the directory, whose owner and risk owner have keys, and an unsigned one of the machines."""
    books = (runbook(signature="required"), runbook("token", domain="machines"))
    told: dict[str, object] = {"runbooks": books, "signing": SIGNING, "people": keys(owner=passkey("o"), risk=passkey("r"))}
    return policy(**{**told, **how})


OLD = signed_policy()


def change(new: Policy, old: Policy = OLD) -> KeyChange:
    found = key_change(old, new)
    assert found is not None
    return found


def test_a_change_that_touches_no_key_needs_no_endorsement() -> None:
    assert key_change(OLD, with_domain(OLD, channel="C0OTHER")) is None
    assert key_change(OLD, signed_policy(people=keys(owner=passkey("o", label="in the safe"), risk=passkey("r")))) is None


def test_the_first_set_with_keys_needs_none() -> None:
    assert key_change(policy(), OLD) is None


def test_a_removed_key_needs_none() -> None:
    assert key_change(OLD, signed_policy(people=keys(owner=passkey("o")))) is None


@pytest.mark.parametrize("key", [passkey("new"), passkey("o", spki=b"another"), passkey("o", synced=True)])
def test_an_added_key_touches_where_its_holder_decides_and_is_endorsed_by_somebody_else(key: Passkey) -> None:
    found = change(signed_policy(people=keys(owner=key, risk=passkey("r"))))
    assert (found.domains, found.gainers) == (("directory",), {OWNER})
    assert endorsers(found, OLD) == {"directory": (RISK,)}


def test_a_key_of_an_auditor_touches_every_domain() -> None:
    found = change(signed_policy(people=(*OLD.people, *keys(audit=passkey("a")))))
    assert found.domains == ("directory", "machines")
    assert endorsers(found, OLD)["machines"] == (MACH,)


def test_an_account_that_is_joined_to_a_key_gains_it() -> None:
    old = signed_policy(people=(*OLD.people, *keys(stranger=passkey("s"))))
    found = change(replace(old, humans=Humans.joined([[OWNER.user, STRANGER.user]])), old)
    assert {OWNER, STRANGER} <= found.gainers


def test_a_key_that_goes_to_another_account_is_added_there() -> None:
    moved = signed_policy(people=keys(dep1=passkey("o"), risk=passkey("r")))
    assert change(moved).gainers == {DEP1}


def test_another_origin_touches_every_domain_with_a_signed_runbook() -> None:
    found = change(signed_policy(signing=replace(SIGNING, origin="https://elsewhere.example.org")))
    assert (found.domains, found.gainers) == (("directory",), frozenset())
    assert endorsers(found, OLD) == {"directory": (OWNER, RISK)}


def test_signing_that_goes_is_a_change_of_the_keys() -> None:
    gone = signed_policy(signing=None, people=(), runbooks=(runbook(), runbook("token", domain="machines")))
    assert change(gone).domains == ("directory",)


def test_a_weaker_signature_touches_the_domain_and_a_stronger_one_nothing() -> None:
    stronger = signed_policy(runbooks=(runbook(signature="device_bound"),))
    assert key_change(OLD, stronger) is None
    assert change(OLD, stronger).domains == ("directory",)
    assert "weaker signature" in change(OLD, stronger).sentences[0]


@pytest.mark.parametrize("how", [{"deputies": (DEP1, DEP2, STRANGER)}, {"risk_owner": STRANGER}, {"owner": STRANGER}])
def test_somebody_new_under_a_signed_runbook_gains(how: dict[str, object]) -> None:
    assert change(with_domain(OLD, **how)).gainers == {STRANGER}


def test_somebody_new_where_nothing_is_signed_gains_no_key() -> None:
    assert key_change(OLD, with_domain(OLD, "machines", owner=STRANGER)) is None


def test_a_signed_runbook_that_moves_names_the_people_of_its_new_domain() -> None:
    moved = signed_policy(runbooks=(runbook(signature="required", domain="machines"),))
    assert change(moved).domains == ("directory", "machines")
    assert MACH in change(moved).gainers


def test_nobody_endorses_for_a_domain_in_which_everybody_gains() -> None:
    both = change(signed_policy(people=keys(owner=passkey("x"), risk=passkey("y"))))
    assert endorsers(both, OLD) == {"directory": ()}


def test_a_new_domain_is_endorsed_by_an_owner_of_the_set_before() -> None:
    fresh = Domain("fresh", "Fresh", STRANGER, "C0FRESH")
    new = signed_policy(domains=(*OLD.domains.values(), fresh))
    new = replace(new, runbooks={**new.runbooks, "fresh": runbook("fresh", domain="fresh", signature="required")})
    assert endorsable(change(new), OLD, OWNER) == {"fresh"}
    assert endorsable(change(new), OLD, STRANGER) == frozenset()


def test_nobody_else_endorses() -> None:
    found = change(signed_policy(signing=replace(SIGNING, origin="https://elsewhere.example.org")))
    assert {p: endorsable(found, OLD, p) for p in (DEP1, MACH, AUDIT, PE1)} == dict.fromkeys(
        (DEP1, MACH, AUDIT, PE1), frozenset()
    )


def test_who_became_owner_by_the_change_endorses_nothing() -> None:
    new = replace(with_domain(OLD, owner=DEP1), signing=replace(SIGNING, origin="https://elsewhere.example.org"))
    assert endorsable(change(new), OLD, DEP1) == frozenset()


def test_every_domain_touched_must_be_covered() -> None:
    two = KeyChange(("directory", "machines"), frozenset(), ())
    assert not covered(two, ["directory"])
    assert covered(two, ["machines", "directory"])


def test_a_provider_never_endorses() -> None:
    old = replace(OLD, domains={**OLD.domains, "directory": replace(DIRECTORY, owner=Person("T0HOME", PE1.user))})
    found = change(replace(old, signing=replace(SIGNING, origin="https://elsewhere.example.org")), old)
    assert endorsable(found, old, PE1) == frozenset()


def rooted(content: bytes | None) -> Policy:
    """The same policy, which names roots; None: accepted before their file was part of a set."""
    files = () if content is None else (PolicyFile("roots.pem", content.hex(), content),)
    return signed_policy(signing=replace(SIGNING, attestation="roots.pem"), files=files)


def test_other_roots_for_new_passkeys_touch_signing_and_roots_of_an_earlier_release_do_not() -> None:
    one, other, none = rooted(b"one"), rooted(b"other"), rooted(None)
    assert "`signing`" in change(other, one).sentences[0]
    assert "`signing`" in change(none, one).sentences[0]
    assert key_change(none, one) is None
    assert key_change(one, rooted(b"one")) is None


def test_what_was_noted_of_a_key_s_attestation_is_no_other_key() -> None:
    attested = signed_policy(people=keys(owner=passkey("o", attested=True), risk=passkey("r")))
    assert key_change(OLD, attested) is None
