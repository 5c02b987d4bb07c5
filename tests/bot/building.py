"""A small organisation as values, right in every way: tests change one thing at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bot.domain.case.click import Click
from bot.domain.case.model import Case
from bot.domain.case.transition import Transition
from bot.domain.policy.model import (
    BreakGlass,
    Domain,
    EscalationPolicy,
    Executor,
    FieldSpec,
    Policy,
    PolicyStep,
    Runbook,
)
from bot.domain.policy.people import Humans, Person, Profile, Ref
from bot.domain.policy.provider import Provider
from bot.domain.policy.rota import Rota, Shift
from bot.domain.timing.escalation import Away, Presence
from bot.domain.workflow import filing
from bot.domain.workflow.asks import engine
from bot.domain.workflow.filing import Earlier
from bot.domain.workflow.filing_form import Form
from runbooks.rules.safe_regex import matcher

T0 = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)  # a Wednesday, 09:00 in London
MINUTE, HOUR, DAY, MS = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1), timedelta(milliseconds=1)
HOME, PROV, OTHER = "T0HOME", "T0PROV", "T0OTHER"
SHA = "ab" * 32


def home(user: str) -> Person:
    return Person(HOME, user)


OWNER, DEP1, DEP2, RISK = home("U0OWNER"), home("U0DEP1"), home("U0DEP2"), home("U0RISK")
ONC1, ONC2, MACH, MDEP, AUDIT = home("U0ONC1"), home("U0ONC2"), home("U0MACH"), home("U0MDEP"), home("U0AUDIT")
STRANGER, GUEST, LEAVER = home("U0NOBODY"), home("U0GUEST"), home("U0LEFT")
PE1, PE2, PE3, LEAD = home("U0PE1"), home("U0PE2"), Person(PROV, "U0PE3"), home("U0PLEAD")
SOC1, SOCLEAD = home("U0SOC1"), home("U0SOCLEAD")
COLLEAGUE = Person(PROV, "U0ANYONE")  # of the provider's workspace, named nowhere
NAMESAKE = Person(OTHER, "U0OWNER")  # the owner's user id in a workspace that is not listed

WHOLE_WEEK = frozenset(range(7))
EARLY = Shift(WHOLE_WEEK, 0, 720, ONC1)
LATE = Shift(WHOLE_WEEK, 720, 1440, ONC2)
SECURITY = Rota("security", "static", (ONC1, ONC2), "UTC", (EARLY, LATE), ONC2)

URGENT = EscalationPolicy(
    "urgent",
    45 * 60,
    (
        PolicyStep(0, "notify", "owner"),
        PolicyStep(180, "remind", "owner"),
        PolicyStep(300, "notify", "deputies"),
        PolicyStep(600, "notify", "on_call", page=True),
        PolicyStep(900, "notify", "risk_owner"),
    ),
)
SHORT = EscalationPolicy(
    "short", 4 * 3600, (PolicyStep(0, "notify", "owner"), PolicyStep(1800, "notify", "deputies"))
)  # fmt: skip

TICKET = FieldSpec(
    "ticket",
    "Incident ticket",
    "text",
    required=True,
    pattern=r"^INC\d+$",
    hint="For example INC1",
    matcher=matcher(r"^INC\d+$"),
)
DIRECTORY = Domain("directory", "Corporate directory", OWNER, "C0DIRECTORY", (DEP1, DEP2), RISK, "security")
MACHINES = Domain("machines", "Machines", MACH, "C0MACHINES", (MDEP,))
HOME_OR_PROV = frozenset({HOME, PROV})
NORTHGATE = Provider(
    "northgate", "Northgate", "NMI-1", date(2027, 3, 31), "C0NORTHGATE", frozenset({PROV}),
    members=(Ref("U0PE1", HOME_OR_PROV), Ref("U0PE2", HOME_OR_PROV)),
    requesters=(Ref("U0PE1", HOME_OR_PROV), Ref("U0PE2", HOME_OR_PROV), Ref("U0PE3", frozenset({PROV}))),
    leads=(Ref("U0PLEAD", HOME_OR_PROV),),
)  # fmt: skip
WATCHFIELD = Provider(
    "watchfield", "Watchfield", None, None, None, frozenset(),
    members=(Ref("U0SOC1", frozenset({HOME})),), requesters=(Ref("U0SOC1", frozenset({HOME})),),
    leads=(Ref("U0SOCLEAD", frozenset({HOME})),),
)  # fmt: skip


def runbook(id_: str = "emergency", **changes: Any) -> Runbook:
    """An emergency runbook of the directory with one yes, unless told otherwise."""
    plain = Runbook(
        id=id_, title=f"The {id_} runbook", kind="emergency_access", domain="directory",
        providers=("northgate", "watchfield"), right="approval", max_duration=4 * 3600, default_duration=3600,
        body="1. Do it.", sha256=SHA, escalation="urgent", audience=id_, review_within=86400,
    )  # fmt: skip
    return replace(plain, **changes)


RUNBOOKS = (
    runbook("emergency"),
    runbook("double", approvals=2, requires=("risk_owner",)),
    runbook("pair", approvals=2),
    runbook("contain", right="immediate"),
    runbook("token", kind="reset", domain="machines", escalation="short", review_within=None),
    runbook("ticketed", fields=(TICKET,)),
    runbook("listed", targets=("alpha", "beta")),
    runbook("unlock", kind="reset", right="autonomous", escalation=None),
    runbook("glass", right="immediate", break_glass=BreakGlass(4 * 3600, None)),
    runbook("verified", kind="reset", subject_verification=("manager_callback",)),
    runbook("executed", kind="reset", executor=Executor("env:URL", "env:SECRET")),
    runbook("cooling", kind="reset", not_before=1800),
)


def policy(**changes: Any) -> Policy:
    """The organisation; `runbooks`, `domains` and `providers` may be given as sequences."""
    for name in ("runbooks", "domains", "providers", "rotas", "escalation_policies"):
        if name in changes and not isinstance(changes[name], Mapping):
            changes[name] = {item.id: item for item in changes[name]}
    plain = Policy(
        organisation="Example Health Trust", contact="#identity-help", workspaces=(HOME,), people=(),
        providers={p.id: p for p in (NORTHGATE, WATCHFIELD)}, auditors=(AUDIT,),
        domains={d.id: d for d in (DIRECTORY, MACHINES)}, rotas={"security": SECURITY},
        escalation_policies={e.id: e for e in (URGENT, SHORT)}, runbooks={r.id: r for r in RUNBOOKS},
        humans=Humans(), files=(), digest="cd" * 32,
    )  # fmt: skip
    return replace(plain, **changes)


def with_domain(base: Policy, domain_id: str = "directory", **changes: Any) -> Policy:
    """The same organisation with one domain changed."""
    return replace(base, domains={**base.domains, domain_id: replace(base.domains[domain_id], **changes)})


def away(**people: Away) -> Presence:
    """`away(U0OWNER="deactivated")`: everybody else is there."""
    return Presence({home(user): why for user, why in people.items()})


HERE = Presence({})
FIRST_TIME = Earlier(0, None, None, expired_recently=False)


def form(runbook_id: str = "emergency", requester: Person = PE1, **changes: Any) -> Form:
    plain = Form("R-00000001", requester, runbook_id, "srv-1", "disk full", 3600, {})
    return replace(plain, **changes)


def filing_of(
    base: Policy, runbook_id: str = "emergency", *, requester: Person = PE1, presence: Presence = HERE,
    earlier: Earlier = FIRST_TIME, at: datetime = T0, scale: float = 1, **changes: Any,
) -> Transition:  # fmt: skip
    return filing.file(base, form(runbook_id, requester, **changes), earlier, presence, at, scale)


def case_of(base: Policy, runbook_id: str = "emergency", **how: Any) -> Case:
    """A filed case whose first step has fired."""
    after = filing_of(base, runbook_id, **how).after
    assert after is not None
    return after


def profile(person: Person, **changes: Any) -> Profile:
    """A full member of the home workspace, unless told otherwise."""
    return replace(Profile(person, name=person.user), **changes)


def click(person: Person, action: str = "approve", *, version: int = 1, reason: str = "") -> Click:
    return Click(person, action, version, {"channel": "D1"}, reason)


def decide(
    case: Case, policy: Policy, click: Click, profile: Profile, now: datetime, older: Sequence[Policy] = ()
) -> Transition:
    """Somebody's answer to the ask whose version they saw."""
    return engine.answer(case, case.question(click.version) or case.approval, policy, click, profile, now, older)


def after(act: Transition | None) -> Case:
    """The case that an act leaves behind."""
    assert act is not None
    assert act.after is not None
    return act.after


def types(act: Transition | None) -> list[str]:
    """What the log says of an act."""
    assert act is not None
    return [draft.type for draft in act.entries]


def asked(case: Case) -> set[Person]:
    return set(case.approval.asked)


def said(act: Transition | None, purpose: str) -> list[Person | str | None]:
    """To whom, or where, an act says something of that purpose."""
    assert act is not None
    return [say.to or say.channel for say in act.says if say.purpose == purpose]
