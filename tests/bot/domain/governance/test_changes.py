"""What differs between two policies, in sentences that name people and things as a reader knows them."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from typing import Any

import pytest

from bot.domain.governance.changes import AGREEMENT, POLICY, REVIEW, differences, sentences
from bot.domain.governance.domain_sentences import DOMAIN
from bot.domain.governance.provider_sentences import LADDER, PERSON, PROVIDER, ROTA
from bot.domain.governance.runbook_sentences import RUNBOOK
from bot.domain.policy.governance import Agreement, OwnerTerm, ReviewRules
from bot.domain.policy.model import (
    BreakGlass,
    Domain,
    EscalationPolicy,
    FieldSpec,
    Hours,
    Limit,
    NamedPerson,
    Policy,
    PolicyStep,
    Runbook,
)
from bot.domain.policy.people import Humans, Person, Ref
from bot.domain.policy.provider import Provider
from bot.domain.policy.rota import Rota
from tests.bot.building import DEP1, DEP2, HOME, MACH, NORTHGATE, ONC1, OWNER, RISK, policy, runbook, with_domain

INES = Person(HOME, "U0INES")
PEOPLE = (
    NamedPerson("olga", OWNER, "Olga"), NamedPerson("dev", DEP1, "Dev"), NamedPerson("kim", DEP2, "Kim"),
    NamedPerson("ines", INES, "Ines"), NamedPerson("ruth", RISK, "Ruth"), NamedPerson("pavel", Person(HOME, "U0PE1"), "Pavel"),
)  # fmt: skip
RESET = runbook("unlock", kind="reset", title="Account unlock", sha256="a")
BASE = policy(people=PEOPLE, runbooks=[RESET])


def with_runbook(**changes: Any) -> Policy:
    return replace(BASE, runbooks={"unlock": replace(RESET, **changes)})


def with_provider(**changes: Any) -> Policy:
    return replace(BASE, providers={**BASE.providers, "northgate": replace(NORTHGATE, **changes)})


def only(old: Policy, new: Policy) -> str:
    (sentence,) = sentences(old, new)
    return sentence


def test_the_same_set_differs_in_nothing() -> None:
    assert sentences(BASE, replace(BASE, digest="x", files=())) == ()


def test_a_new_deputy_is_said_as_the_contract_says_it() -> None:
    old = with_domain(BASE, deputies=(DEP2,))
    assert (
        only(old, with_domain(BASE, deputies=(DEP2, DEP1)))
        == "From now on Dev may approve resets of the Corporate directory, as a deputy."
    )
    assert (
        only(with_domain(BASE, deputies=(DEP2, DEP1)), old)
        == "Dev may no longer approve resets of the Corporate directory as a deputy."
    )


def test_another_first_deputy_takes_over() -> None:
    said = only(BASE, with_domain(BASE, deputies=(DEP2, DEP1)))
    assert said == "Kim is now the first deputy of Corporate directory and stands in when the owner is away."


def test_another_owner() -> None:
    said = "From now on Ines owns Corporate directory instead of Olga and may approve resets of the Corporate directory."
    assert only(BASE, with_domain(BASE, owner=INES)) == f"{said} Olga may no longer approve there."


def test_who_owned_it_and_is_a_deputy_now_may_still_approve() -> None:
    assert not any(
        "no longer" in said
        for said in sentences(with_domain(BASE, deputies=()), with_domain(BASE, owner=INES, deputies=(OWNER,)))
    )


def test_a_deputy_who_becomes_the_owner_is_not_said_to_lose_anything() -> None:
    old = with_domain(BASE, deputies=(DEP1,))
    assert not any("as a deputy" in said for said in sentences(old, with_domain(old, owner=DEP1, deputies=())))


def test_owners_by_date() -> None:
    terms = (OwnerTerm(OWNER, None, date(2026, 12, 31)), OwnerTerm(INES, date(2027, 1, 1)))
    assert sentences(BASE, with_domain(BASE, terms=terms)) == (
        "Olga owns Corporate directory until 31 December 2026 (that day included) and may approve resets of the Corporate directory.",
        "From 1 January 2027 Ines owns Corporate directory and may approve resets of the Corporate directory.",
    )
    assert "From 1 January 2027 nobody owns Corporate directory; the risk owner answers." in sentences(
        BASE, with_domain(BASE, terms=terms[:1])
    )


def test_the_day_alone_changes_nothing() -> None:
    terms = (OwnerTerm(OWNER, None, date(2026, 12, 31)), OwnerTerm(INES, date(2027, 1, 1)))
    dated = with_domain(BASE, terms=terms)
    assert sentences(dated.on(date(2026, 12, 31)), dated.on(date(2027, 1, 1))) == ()


def test_a_new_and_a_removed_runbook() -> None:
    right = runbook("keys", title="Rotate keys", right="autonomous", escalation=None, max_duration=3600)
    more = replace(BASE, runbooks={"unlock": RESET, "keys": right})
    assert only(BASE, more) == (
        "From now on Northgate and Watchfield may do “Rotate keys” in Corporate directory without asking first, for at most 1 hour; "
        "Olga is told afterwards."
    )
    assert only(more, BASE) == "“Rotate keys” is gone: Northgate and Watchfield can no longer ask for it."


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"right": "autonomous"}, "From now on Northgate and Watchfield may do “Account unlock” without asking first; Olga is told afterwards."),
        ({"approvals": 2}, "“Account unlock” now needs the yes of two people instead of one person."),
        ({"requires": ("risk_owner",)}, "“Account unlock” now also needs the yes of the risk owner."),
        ({"max_duration": 8 * 3600}, "“Account unlock” may last up to 8 hours instead of 4 hours."),
        ({"providers": ("northgate",)}, "Watchfield may no longer ask for “Account unlock”."),
        ({"limit": Limit(5, 7 * 86400)}, "“Account unlock” may be used 5 times in 7 days."),
        ({"review_within": None}, "Uses of “Account unlock” are no longer reviewed; before within 1 day."),
        ({"break_glass": BreakGlass(3600, Limit(2, 30 * 86400))},
         "From now on, in an emergency, Northgate and Watchfield may open “Account unlock” at once, before any yes, 2 times in 30 days at most; "
         "that must be ratified within 1 hour."),
        ({"domain": "machines"}, "“Account unlock” is now decided in Machines (U0MACH) instead of Corporate directory (Olga)."),
        ({"body": "2. Undo it.", "sha256": "b"}, "The instructions of “Account unlock” change."),
        ({"evidence": ("session_recording",)}, "After “Account unlock” session recording must now be handed in."),
        ({"fields": (FieldSpec("ticket", "Ticket", "text", required=True),)},
         "The form of “Account unlock” now also asks for “Ticket”, which must be filled in."),
        ({"signature": "required"}, "A yes to “Account unlock” must now be signed with a passkey."),
        ({"targets": ("a", "b")}, "“Account unlock” may now be asked for 2 listed targets only; before for any."),
        ({"escalation": "short"}, "“Account unlock” is now escalated by “short” instead of “urgent”: without an answer it expires after 4 hours."),
    ],
)  # fmt: skip
def test_a_changed_runbook(changes: dict[str, Any], says: str) -> None:
    (found,) = differences(BASE, with_runbook(**changes))
    assert (found.text, found.runbook) == (says, "unlock")
    assert "directory" in found.domains


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"contract_until": date(2028, 3, 31)}, "The contract of Northgate now ends on 31 March 2028 instead of 31 March 2027: nothing may be asked for afterwards."),
        ({"contract_from": date(2026, 5, 1)}, "The contract of Northgate begins on 1 May 2026: nothing may be asked for before."),
        ({"requesters": NORTHGATE.requesters[1:]}, "Pavel may no longer ask on behalf of Northgate."),
        ({"leads": ()}, "U0PLEAD may no longer see the requests of Northgate and advise, as its lead."),
        ({"service": "Runs it"}, "The service of Northgate now reads “Runs it”."),
    ],
)  # fmt: skip
def test_a_changed_provider_concerns_the_domains_in_which_it_asks(changes: dict[str, Any], says: str) -> None:
    (found,) = differences(BASE, with_provider(**changes))
    assert (found.text, found.domains) == (says, ("directory",))


def test_rotas_escalations_and_the_top_of_the_matrix() -> None:
    rota = replace(BASE.rotas["security"], people=(*BASE.rotas["security"].people, INES))
    said = only(BASE, replace(BASE, rotas={"security": rota}))
    assert said == "From now on Ines may be on call for Corporate directory and then approve once reached."
    steps = (PolicyStep(0, "notify", "owner"), PolicyStep(60, "notify", "deputies"))
    ladder = replace(BASE.escalation_policies["short"], steps=steps, expires_after=3600)
    assert sentences(BASE, replace(BASE, escalation_policies={**BASE.escalation_policies, "short": ladder})) == (
        "Under the escalation “short” a request without an answer now expires after 1 hour instead of 4 hours.",
        "Under the escalation “short” the deputy is now asked after 1 minute instead of after 30 minutes.",
    )
    delayed = replace(BASE, policy_delay=60)
    assert (
        only(BASE, delayed)
        == "A change that gives something now counts 1 minute after it was announced instead of 15 minutes."
    )
    assert (
        only(BASE, replace(BASE, auditors=(*BASE.auditors, INES)))
        == "From now on Ines may read the whole log as an auditor."
    )


def test_an_address_of_pages_is_never_shown() -> None:
    line = replace(PEOPLE[0], page="mailto://user:secret@host")
    said = only(BASE, replace(BASE, people=(line, *PEOPLE[1:])))
    assert said == "Pages for Olga are now sent."


RULES = Agreement(365 * 86400, 30 * 86400, "hold")
REVIEWS = ReviewRules(180 * 86400, 90 * 86400, 10, "narrow")


@pytest.mark.parametrize(
    ("key", "before", "after", "says"),
    [
        ("agreement", RULES, replace(RULES, every=180 * 86400),
         ["Owners are now asked to confirm their part of this matrix every 180 days instead of 365 days."]),
        ("agreement", RULES, replace(RULES, window=86400), ["Owners now have 1 day instead of 30 days to confirm their part of this matrix."]),
        ("agreement", RULES, replace(RULES, unconfirmed="warn"),
         ["What a change gives a provider now counts also while it is not confirmed; the risk owner is told of the silence."]),
        ("agreement", None, RULES,
         ["Every 365 days owners are now asked to confirm their part of this matrix, and have 30 days to answer.",
          "What a change gives a provider now counts only once it is confirmed."]),
        ("agreement", RULES, None, ["Owners are no longer asked to confirm their part of this matrix."]),
        ("review", REVIEWS, replace(REVIEWS, break_glass_every=86400), ["Break-glass is now reviewed every 1 day instead of 90 days."]),
        ("review", REVIEWS, replace(REVIEWS, window_days=5), ["Owners now have 5 working days instead of 10 to answer a review."]),
        ("review", REVIEWS, replace(REVIEWS, silence="keep"), ["A right whose review nobody answers now stays as it is."]),
        ("review", None, REVIEWS,
         ["Every 180 days owners now review what providers may do without asking first, break-glass every 90 days; they have 10 working days to answer.",
          "A right whose review nobody answers is now narrowed: each use needs a yes, and break-glass opens once per provider."]),
        ("review", REVIEWS, None, ["Owners are no longer asked to review what providers may do without asking first."]),
    ],
)  # fmt: skip
def test_each_part_of_agreement_and_review_has_its_sentence(key: str, before: Any, after: Any, says: list[str]) -> None:
    assert list(sentences(replace(BASE, **{key: before}), replace(BASE, **{key: after}))) == says


def test_a_new_runbook_says_whose_yes_it_needs() -> None:
    book = replace(RESET, id="new", title="New", approvals=2, requires=("risk_owner",))
    said = only(BASE, replace(BASE, runbooks={**BASE.runbooks, "new": book}))
    assert said.endswith("nothing happens before two people have said yes, the risk owner among them.")


TABLES = [
    (AGREEMENT, Agreement),
    (REVIEW, ReviewRules),
    (DOMAIN, Domain),
    (RUNBOOK, Runbook),
    (PROVIDER, Provider),
    (ROTA, Rota),
    (LADDER, EscalationPolicy),
    (PERSON, NamedPerson),
    (POLICY, Policy),
]


@pytest.mark.parametrize(("table", "kind"), TABLES, ids=lambda x: getattr(x, "__name__", ""))
def test_every_key_has_a_row_of_its_own(table: Any, kind: Any) -> None:
    assert {f.name for f in fields(kind) if f.compare} == set(table)


OTHER: dict[str, Any] = {
    "agreement": Agreement(86400, 3600, "hold"), "review": ReviewRules(1, 1, 10, "narrow"), "humans": Humans((frozenset("ab"),)),
    "risk_owner": INES, "evidence_owner": INES, "hours": Hours(frozenset({0}), 480, 1080, "UTC"), "risk_statement": "Two remain.",
    "channel": "C0NEW", "name": "New", "organisation": "New", "contact": "#new", "workspaces": (HOME, "T0TWO"), "on_call": None,
    "default_escalation": "short", "reports": "monthly", "report_thresholds": (("expired", 3),), "hold": 60, "retention": 86400,
    "contract": "N", "members": NORTHGATE.members[1:], "title": "New", "kind": "policy_exception", "default_duration": 60,
    "rotate_within": 60, "audience": "new", "review_every": 60, "tell": "each", "risk": "high", "max_renewals": 3,
    "subject_verification": ("manager_callback",), "executor": object(), "not_before": 60, "expires_after": 60,
    "fallback": ONC1, "time_zone": "Europe/Paris", "page": "env:X", "leads": (Ref("U0X", frozenset({HOME})),),
}  # fmt: skip


@pytest.mark.parametrize(("table", "kind", "old", "put"), [
    (DOMAIN, Domain, BASE.domains["directory"], lambda v: replace(BASE, domains={**BASE.domains, "directory": v})),
    (RUNBOOK, Runbook, RESET, lambda v: replace(BASE, runbooks={"unlock": v})),
    (PROVIDER, Provider, NORTHGATE, lambda v: replace(BASE, providers={**BASE.providers, "northgate": v})),
    (ROTA, Rota, BASE.rotas["security"], lambda v: replace(BASE, rotas={"security": v})),
    (POLICY, Policy, BASE, lambda v: v),
])  # fmt: skip
def test_no_change_of_a_key_is_silent_and_none_shows_code(table: Any, kind: Any, old: Any, put: Any) -> None:
    """A sentence of every key reads as text: no braces, no names of Python values."""
    for name in set(OTHER) & set(table) & {f.name for f in fields(kind)}:
        if getattr(old, name) == OTHER[name]:
            continue
        said = sentences(BASE, put(replace(old, **{name: OTHER[name]})))
        assert said, name
        for sentence in said:
            assert not set("{}<>[]") & set(sentence), sentence
            assert "None" not in sentence, sentence
            assert "_" not in sentence.replace("session_recording", ""), sentence
            assert sentence.endswith("."), sentence


def test_a_machine_owner_is_named_by_id_where_the_policy_names_nobody() -> None:
    assert "U0INES" not in only(BASE, with_domain(BASE, owner=INES))
    assert "U0MACH" in " ".join(sentences(with_domain(BASE, owner=MACH), BASE))
