"""Each key of a policy has a row, each row knows an easier change, and what is stricter is no gain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

import pytest

from bot.domain.authority.comparison_rules import Table, easier, stricter_of, words
from bot.domain.authority.policy_comparison import (
    BREAK_GLASS,
    DOMAIN,
    FIELD,
    LADDER,
    PARTS,
    PERSON,
    POLICY,
    PROVIDER,
    ROTA,
    RUNBOOK,
)
from bot.domain.policy.governance import Agreement, OwnerTerm, ReviewRules
from bot.domain.policy.model import (
    BreakGlass,
    Domain,
    EscalationPolicy,
    Executor,
    FieldSpec,
    Hours,
    Limit,
    NamedPerson,
    Policy,
    Runbook,
)
from bot.domain.policy.people import Humans, Ref
from bot.domain.policy.provider import Provider
from bot.domain.policy.rota import Rota
from bot.domain.policy.signing import Passkey, Signing
from runbooks.parsing import runbook_schema, schema
from tests.bot.building import (
    DIRECTORY,
    HOME,
    NORTHGATE,
    ONC1,
    OWNER,
    PROV,
    RISK,
    SECURITY,
    SHORT,
    STRANGER,
    TICKET,
    URGENT,
    policy,
    runbook,
)

TABLES: Mapping[type[Any], Table] = {
    Policy: POLICY, Provider: PROVIDER, Domain: DOMAIN, Rota: ROTA, EscalationPolicy: LADDER, Runbook: RUNBOOK,
    FieldSpec: FIELD, BreakGlass: BREAK_GLASS, NamedPerson: PERSON,
}  # fmt: skip
PHONE = NamedPerson("olga", OWNER, "Olga", "env:OLGA")
KEY = Passkey("abc", b"key", "id.example", synced=False)
SIGNING = Signing("id.example", "https://id.example")
BODIES: Mapping[type[Any], Any] = {
    Policy: policy(), Provider: NORTHGATE, Domain: DIRECTORY, Rota: SECURITY, EscalationPolicy: URGENT,
    Runbook: runbook(), FieldSpec: TICKET, BreakGlass: BreakGlass(3600, Limit(2, 86400)), NamedPerson: PHONE,
}  # fmt: skip
WORKDAYS = Hours(frozenset(range(5)), 540, 1080, "UTC")
GLASS = BreakGlass(3600, Limit(2, 86400))

# type, key, the value before, the value that is easier. The other way round is no gain, but where a change is unknown.
EASIER: tuple[tuple[type[Any], str, Any, Any], ...] = (
    (Policy, "workspaces", (HOME,), (HOME, "T0NEW")),
    (Policy, "people", (PHONE,), ()),
    (Policy, "people", (PHONE,), (replace(PHONE, passkeys=(KEY,)),)),
    (Policy, "people", (), (NamedPerson("olga", OWNER, "Olga", passkeys=(KEY,)),)),
    (NamedPerson, "page", "env:A", None),
    (NamedPerson, "passkeys", (), (KEY,)),
    (Policy, "agreement", Agreement(1, 1, "hold"), None),
    (Policy, "review", ReviewRules(1, 1, 10, "narrow"), None),
    (Policy, "default_escalation", "urgent", None),
    (Policy, "signing", SIGNING, None),
    (Provider, "contract_from", date(2026, 1, 2), None),
    (Runbook, "signature", "device_bound", "required"),
    (Runbook, "signature", "required", "none"),
    (Policy, "auditors", (), (STRANGER,)),
    (Policy, "humans", Humans.joined([["U1", "U2"]]), Humans()),
    (Policy, "policy_delay", 900, 0),
    (Policy, "hold", 600, 900),
    (Policy, "retention", 86400, 3600),
    (Provider, "contract_until", date(2026, 12, 31), date(2027, 1, 1)),
    (Provider, "contract_until", date(2026, 12, 31), None),
    (Provider, "requesters", (Ref("U1", frozenset({HOME})),), (Ref("U1", frozenset({HOME, PROV})),)),
    (Provider, "requesters", (), (Ref("U1", frozenset({HOME})),)),
    (Provider, "leads", (), (Ref("U1", frozenset({HOME})),)),
    (Domain, "deputies", (OWNER,), (OWNER, RISK)),
    (Domain, "on_call", None, "security"),
    (Rota, "people", (ONC1,), (ONC1, OWNER)),
    (EscalationPolicy, "expires_after", 600, 601),
    (Runbook, "providers", ("a",), ("a", "b")),
    (Runbook, "right", "approval", "immediate"),
    (Runbook, "right", "immediate", "autonomous"),
    (Runbook, "max_duration", 3600, 3601),
    (Runbook, "default_duration", 600, 601),
    (Runbook, "approvals", 2, 1),
    (Runbook, "requires", ("risk_owner",), ()),
    (Runbook, "evidence", ("recording",), ()),
    (Runbook, "rotate_within", 3600, None),
    (Runbook, "rotate_within", 3600, 7200),
    (Runbook, "review_within", 3600, None),
    (Runbook, "fields", (TICKET,), ()),
    (Runbook, "limit", Limit(2, 3600), Limit(3, 3600)),
    (Runbook, "limit", Limit(2, 3600), Limit(2, 1800)),
    (Runbook, "limit", Limit(2, 3600), None),
    (Runbook, "review_every", 86400, None),
    (Runbook, "tell", "each", "daily"),
    (Runbook, "break_glass", None, GLASS),
    (Runbook, "break_glass", GLASS, replace(GLASS, quota=Limit(3, 86400))),
    (Runbook, "risk", "high", "medium"),
    (Runbook, "max_renewals", 1, 2),
    (Runbook, "subject_verification", ("callback",), ()),
    (Runbook, "targets", ("a",), ("a", "b")),
    (Runbook, "targets", ("a",), ()),
    (Runbook, "not_before", 1800, None),
    (Runbook, "due_within", 3600, None),
    (BreakGlass, "ratify_within", 3600, 7200),
    (BreakGlass, "quota", Limit(2, 86400), None),
    (FieldSpec, "required", True, False),
    (FieldSpec, "pattern", "^A$", None),
    (FieldSpec, "minimum", 3, None),
    (FieldSpec, "minimum", -3, -4),
    (FieldSpec, "maximum", 3, 4),
    (FieldSpec, "options", ("a",), ("a", "b")),
    (FieldSpec, "earliest", date(2026, 1, 2), date(2026, 1, 1)),
    (FieldSpec, "latest", date(2026, 1, 1), None),
)
# Every change of these is easier: what it does is not known, or it may weaken something either way.
UNKNOWN: tuple[tuple[type[Any], str, Any, Any], ...] = (
    (Domain, "owner", OWNER, STRANGER),
    (Domain, "channel", "C1", "C2"),
    (Domain, "terms", (), (OwnerTerm(STRANGER),)),
    (Domain, "evidence_owner", None, STRANGER),
    (Domain, "risk_statement", "low", "none"),
    (Domain, "default_escalation", "urgent", "short"),
    (Domain, "hours", None, WORKDAYS),
    (Policy, "signing", SIGNING, replace(SIGNING, operator_acts="required")),
    (Domain, "risk_owner", RISK, STRANGER),
    (Provider, "channel", "C1", "C2"),
    (Rota, "page", "env:A", "env:B"),
    (EscalationPolicy, "steps", URGENT.steps, SHORT.steps),
    (EscalationPolicy, "hours", None, WORKDAYS),
    (Runbook, "kind", "reset", "emergency_access"),
    (Runbook, "domain", "directory", "machines"),
    (Runbook, "escalation", "urgent", "short"),
    (Runbook, "audience", "pam-a", "pam-b"),
    (Runbook, "executor", Executor("env:A", "env:S"), Executor("env:B", "env:S")),
    (FieldSpec, "type", "text", "multiline"),
    (FieldSpec, "pattern", "^A$", "^B$"),
)
# What people read, what is derived, and what is compared where it is used.
NEUTRAL: Mapping[type[Any], set[str]] = {
    Policy: {
        "organisation", "contact", "files", "digest", "standing", "providers", "domains", "rotas", "escalation_policies",
        "runbooks", "reports", "report_thresholds",
    },
    NamedPerson: {"label", "person", "name"},
    Provider: {"id", "name", "contract", "workspaces", "members", "service"},
    Domain: {"id", "name", "vacant"},
    Rota: {"id", "source", "time_zone", "shifts", "fallback", "feed", "overrides", "spells"},
    EscalationPolicy: {"id"},
    Runbook: {"id", "title", "body", "sha256"},
    FieldSpec: {"name", "label", "hint", "matcher"},
    BreakGlass: {"overdue_since"},
}  # fmt: skip


@pytest.mark.parametrize("kind", TABLES, ids=lambda kind: kind.__name__)
def test_every_key_of_a_policy_has_a_row_and_an_example(kind: type[Any]) -> None:
    keys = {field.name for field in fields(kind)}
    assert set(TABLES[kind]) == keys
    tried = {key for one, key, _, _ in (*EASIER, *UNKNOWN) if one is kind}
    assert tried | NEUTRAL[kind] == keys
    assert not tried & NEUTRAL[kind]


SAME = {"min": "minimum", "max": "maximum", "same_person": "humans"}  # a key of the files, and the key it becomes
SHAPES: tuple[tuple[type[Any], Table], ...] = (
    (schema.MatrixShape, POLICY), (schema.ProviderShape, PROVIDER), (schema.DomainShape, DOMAIN), (schema.RotaShape, ROTA),
    (schema.EscalationShape, LADDER), (runbook_schema.RunbookShape, RUNBOOK), (runbook_schema.FieldShape, FIELD),
    (runbook_schema.BreakGlassShape, BREAK_GLASS), (schema.PersonShape, {**PERSON, "id": PERSON["person"]}),
)  # fmt: skip


@pytest.mark.parametrize(("shape", "table"), SHAPES, ids=lambda one: getattr(one, "__name__", ""))
def test_every_key_of_the_files_is_judged(shape: type[Any], table: Table) -> None:
    assert {SAME.get(key, key) for key in shape.model_fields} <= set(table)


def test_what_is_compared_one_by_one_is_every_mapping_of_the_policy() -> None:
    mappings = {field.name for field in fields(Policy) if isinstance(getattr(policy(), field.name), Mapping)}
    assert set(PARTS) == mappings


@pytest.mark.parametrize(("kind", "key", "before", "after"), EASIER)
def test_a_change_that_gives_something_is_easier_and_its_reverse_is_not(
    kind: type[Any], key: str, before: Any, after: Any
) -> None:
    old, new = replace(BODIES[kind], **{key: before}), replace(BODIES[kind], **{key: after})
    assert list(easier(TABLES[kind], old, new)) == [key]
    assert all(words(TABLES[kind], old, new))
    assert not easier(TABLES[kind], new, old)
    assert not easier(TABLES[kind], new, new)


@pytest.mark.parametrize(("kind", "key", "before", "after"), UNKNOWN)
def test_a_change_whose_effect_is_unknown_is_easier_both_ways(kind: type[Any], key: str, before: Any, after: Any) -> None:
    old, new = replace(BODIES[kind], **{key: before}), replace(BODIES[kind], **{key: after})
    assert list(easier(TABLES[kind], old, new)) == [key]
    assert list(easier(TABLES[kind], new, old)) == [key]


def test_a_key_without_a_row_is_easier_and_keeps_its_old_value() -> None:
    @dataclass(frozen=True)
    class Newer:
        signing: bool

    assert words({}, Newer(True), Newer(False)) == ("signing",)
    assert stricter_of({}, Newer(True), Newer(False)) == Newer(True)


BESIDE = {  # judged beside the old set and never merged
    (Policy, "workspaces"), (Policy, "people"), (Policy, "auditors"), (Policy, "humans"), (Domain, "deputies"),
    (Domain, "on_call"), (Rota, "people"), (NamedPerson, "page"), (NamedPerson, "passkeys"),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "key", "before", "after"), [row for row in EASIER if row[:2] not in BESIDE])
def test_the_stricter_value_of_both_gives_nothing_that_the_old_set_did_not(
    kind: type[Any], key: str, before: Any, after: Any
) -> None:
    old, new = replace(BODIES[kind], **{key: before}), replace(BODIES[kind], **{key: after})
    assert not easier(TABLES[kind], old, stricter_of(TABLES[kind], old, new))


def test_both_patterns_of_a_field_have_to_match_while_both_sets_bind() -> None:
    old = replace(TICKET, pattern="A", matcher=lambda text: "A" in text)
    new = replace(TICKET, pattern="B", matcher=lambda text: "B" in text)
    both = stricter_of(RUNBOOK, runbook(fields=(old,)), runbook(fields=(new,))).fields[0]
    none_left = stricter_of(RUNBOOK, runbook(fields=(old,)), runbook(fields=(replace(TICKET, pattern=None),))).fields[0]
    assert both.matcher is not None
    assert [both.matcher(text) for text in ("A", "B", "AB")] == [False, False, True]
    assert none_left.matcher is not None
    assert [none_left.pattern, none_left.matcher("A"), none_left.matcher("B")] == ["A", True, False]
