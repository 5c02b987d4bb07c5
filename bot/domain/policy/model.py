"""What may be asked for and who answers, as values.

The loader (`runbooks.loader`) makes these from files and refuses what breaks a rule; here they are only true.
Durations are whole seconds of policy time: `TIME_SCALE` divides them where they meet the clock. People are resolved to
(team, user); labels are gone. Source of every key: design, section 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Literal

from bot.domain.policy.governance import Agreement, Narrowed, OwnerTerm, ReviewRules
from bot.domain.policy.people import Humans, Person
from bot.domain.policy.provider import Provider, provider_of
from bot.domain.policy.rota import Rota
from bot.domain.policy.signing import Passkey, Signature, Signing

Role = Literal["owner", "deputies", "on_call", "risk_owner"]
Kind = Literal["emergency_access", "reset", "policy_exception", "finding"]
Right = Literal["autonomous", "approval", "immediate"]
FieldType = Literal["text", "multiline", "number", "date", "datetime", "select", "person", "email", "url", "boolean"]
ROLES: tuple[Role, ...] = ("owner", "deputies", "on_call", "risk_owner")
KINDS: tuple[Kind, ...] = ("emergency_access", "reset", "policy_exception", "finding")


@dataclass(frozen=True, slots=True)
class NamedPerson:
    """A line of `people:`. `page` is an Apprise address or `env:NAME`."""

    label: str
    person: Person
    name: str
    page: str | None = None
    passkeys: tuple[Passkey, ...] = ()


@dataclass(frozen=True, slots=True)
class Domain:
    """An identity domain and the named people who are accountable for it.

    `owner` is who owns it on the day that the policy is read for (`Policy.on`); `terms` says who owns it when, and is empty
    for one owner without dates. `vacant`: nobody owns it on that day, and `owner` is the risk owner, who answers instead.
    """

    id: str
    name: str
    owner: Person
    channel: str
    deputies: tuple[Person, ...] = ()
    risk_owner: Person | None = None
    on_call: str | None = None
    terms: tuple[OwnerTerm, ...] = ()
    vacant: bool = False
    evidence_owner: Person | None = None  # None: the owner
    risk_statement: str = ""
    default_escalation: str | None = None
    hours: Hours | None = None

    def on(self, day: date) -> Domain:
        """The domain with the owner of `day` (UTC)."""
        if not self.terms:
            return self
        owner = next((term.person for term in self.terms if term.holds_on(day)), None)
        return replace(self, owner=owner or self.risk_owner or self.owner, vacant=owner is None)


@dataclass(frozen=True, slots=True)
class Hours:
    """Working hours: `days` 0 to 6, `start` and `end` minutes of the local day in `time_zone`."""

    days: frozenset[int]
    start: int
    end: int
    time_zone: str


@dataclass(frozen=True, slots=True)
class PolicyStep:
    """One rung of a ladder: `after` seconds from the filing, `notify` or `remind` a role."""

    after: int
    action: Literal["notify", "remind"]
    role: Role
    page: bool = False


@dataclass(frozen=True, slots=True)
class EscalationPolicy:
    id: str
    expires_after: int
    steps: tuple[PolicyStep, ...]
    hours: Hours | None = None


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of a runbook's form. `minimum` and `maximum` bound a number, or the length of a text.

    `earliest` and `latest` bound a date. `matcher` says whether `pattern` is found in a text; the loader compiles it.
    """

    name: str
    label: str
    type: FieldType
    required: bool = False
    pattern: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    options: tuple[str, ...] = ()
    hint: str | None = None
    earliest: date | None = None
    latest: date | None = None
    matcher: Callable[[str], bool] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` in a sliding window of `per` seconds."""

    count: int
    per: int


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """`overdue_since`: its review is overdue, so the risk owner is paged with each opening (`governance.narrowing`)."""

    ratify_within: int
    quota: Limit | None
    overdue_since: datetime | None = None  # no part of the files


@dataclass(frozen=True, slots=True)
class Executor:
    webhook: str
    secret: str


@dataclass(frozen=True, slots=True)
class Runbook:
    """One kind of thing that may be asked for, or reported. `sha256` is of the file's bytes; `body` is its Markdown.

    A `finding` asks for no access: `right`, `max_duration` and `approvals` say nothing there. `due_within`: reported later than
    that after it was noticed, it is late.
    """

    id: str
    title: str
    kind: Kind
    domain: str
    providers: tuple[str, ...]
    right: Right
    max_duration: int
    default_duration: int
    body: str
    sha256: str
    approvals: int = 1
    requires: tuple[Role, ...] = ()
    escalation: str | None = None
    evidence: tuple[str, ...] = ()
    rotate_within: int | None = None
    review_within: int | None = None
    audience: str = ""
    fields: tuple[FieldSpec, ...] = ()
    limit: Limit | None = None
    review_every: int | None = None
    tell: Literal["each", "daily"] = "daily"
    break_glass: BreakGlass | None = None
    risk: Literal["low", "medium", "high"] = "low"
    max_renewals: int = 2
    subject_verification: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()  # of this domain, in the file's order; empty: free text
    executor: Executor | None = None
    not_before: int | None = None
    signature: Signature = "none"
    due_within: int | None = None


@dataclass(frozen=True, slots=True)
class Suspended:
    """A suspended authority, ignored until another person restores it; `case` is the case in which they do."""

    domain: str
    person: Person
    case: str


@dataclass(frozen=True, slots=True)
class TakenAway:
    """What acts and the clock have taken away from a set: suspended authority, autonomous rights withdrawn, by their file's
    SHA-256, the providers whose contract is over, the suspended ones, each with a domain, and what reviews narrowed."""

    suspended: frozenset[Suspended] = frozenset()
    withdrawn: frozenset[str] = frozenset()
    contracts_over: frozenset[str] = frozenset()
    providers: frozenset[tuple[str, str]] = frozenset()
    narrowed: frozenset[Narrowed] = frozenset()


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """One accepted file: `path` relative to the folder, with `/`; `content` its exact bytes."""

    path: str
    sha256: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Policy:
    """A whole accepted set. `digest` is the SHA-256 of the lines `<hex>  <path>\\n`, sorted by path bytes."""

    organisation: str
    contact: str
    workspaces: tuple[str, ...]
    people: tuple[NamedPerson, ...]
    providers: Mapping[str, Provider]
    auditors: tuple[Person, ...]
    domains: Mapping[str, Domain]
    rotas: Mapping[str, Rota]
    escalation_policies: Mapping[str, EscalationPolicy]
    runbooks: Mapping[str, Runbook]
    humans: Humans
    files: tuple[PolicyFile, ...]
    digest: str
    policy_delay: int = 15 * 60
    hold: int = 10 * 60
    retention: int = 2555 * 86400
    standing: TakenAway = field(
        default=TakenAway(), compare=False
    )  # no part of the files; `CurrentPolicy` keeps it up to date
    agreement: Agreement | None = None
    review: ReviewRules | None = None
    default_escalation: str | None = None
    reports: Literal["monthly"] | None = None
    report_thresholds: tuple[tuple[str, int], ...] = ()  # a figure of the monthly report to its limit
    signing: Signing | None = None

    def on(self, day: date) -> Policy:
        """The same set with the domains' owners of `day` (UTC). It is this object where no owner has a date."""
        if not any(domain.terms for domain in self.domains.values()):
            return self
        return replace(self, domains={id: domain.on(day) for id, domain in self.domains.items()})

    def provider_of(self, person: Person) -> Provider | None:
        """The provider that a person belongs to, by any of their accounts; None for everybody else."""
        return provider_of(self.providers.values(), self.humans, person)

    def name_of(self, person: Person) -> str:
        """The name a policy file gives, else the user id: for logs and the command line, never for authority."""
        return next((p.name for p in self.people if p.person == person), person.user)
