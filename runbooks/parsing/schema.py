"""The format of the responsibility matrix, key by key; a runbook's front matter is in `runbook_schema`.

Strict: an unknown key, a wrong type or an empty list is refused. What one key means for another is in `cross` and
the modules that it calls. The JSON Schemas that `countersign schema` prints are made from these models.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StrictBool, Tag, model_validator

from bot.domain.policy.model import Role
from runbooks.parsing.scalars import (
    Account,
    Base64,
    Channel,
    Clock,
    Credential,
    Day,
    Duration,
    Feed,
    Label,
    Moment,
    Origin,
    Page,
    PemPath,
    PersonText,
    RpId,
    Short,
    Slug,
    Span,
    Text,
    WorkingDays,
    Workspace,
)

DayName = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
People = Annotated[list[PersonText], Field(min_length=1)]
Limit = Annotated[int, Field(ge=0, le=1_000_000)]


class Shape(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class PasskeyShape(Shape):
    """A passkey of a person, as `countersign passkey enrol` prints it."""

    id: Credential = Field(description="Credential id, base64url.")
    key: Base64 = Field(description="Public key, DER SubjectPublicKeyInfo in base64.")
    rp: RpId = Field(description="The relying party that it was made for.")
    synced: StrictBool = Field(
        description="Whether it may be synced (backup eligible) as the authenticator said at enrolment."
    )
    attested: StrictBool | None = Field(
        None, description="Whether its attestation chained to the roots of `signing.attestation` at enrolment."
    )
    label: Short | None = Field(None, description="For people to read, like `YubiKey in the safe`.")


class PersonShape(Shape):
    """A line of `people`: a label that may be written wherever an id may."""

    id: Account = Field(description="Slack user id; the id alone decides.")
    name: Short = Field(description="For people to read; carries no authority.")
    page: Page | None = Field(None, description="Where a page goes, `env:NAME` of an Apprise address.")
    passkeys: Annotated[list[PasskeyShape], Field(min_length=1, max_length=10)] | None = Field(
        None, description="Public keys with which this person signs decisions."
    )


class ProviderShape(Shape):
    """An outside party: its people may ask and never decide."""

    name: Short = Field(description="The provider's name.")
    contract: Short | None = Field(None, description="Reference of the contract.")
    contract_until: Day | None = Field(None, description="Last day of the contract; refused afterwards.")
    contract_from: Day | None = Field(None, description="First day of the contract; nothing is filed before.")
    service: Text | None = Field(None, description="What the contract is about, for readers of the matrix.")
    channel: Channel | None = Field(None, description="Where its people ask.")
    workspaces: Annotated[list[Workspace], Field(min_length=1)] | None = Field(
        None, description="Everyone of these workspaces belongs to the provider."
    )
    members: People | None = Field(None, description="Its people with accounts in the home workspace.")
    requesters: People | None = Field(None, description="Who may ask; default: members.")
    leads: People | None = Field(None, description="See the provider's requests and advise; never decide.")


class OwnerTermShape(Shape):
    """One owner of a domain, by date. The days are UTC and included."""

    person: PersonText = Field(description="The one named person accountable in this time.")
    first: Day | None = Field(None, alias="from", description="First day; default: without a beginning.")
    until: Day | None = Field(None, description="Last day; default: without an end.")


class HoursShape(Shape):
    """Working hours: `after` and expiry count only inside them."""

    days: Annotated[list[DayName], Field(min_length=1)] = Field(description="Days of the week.")
    start: Clock = Field(alias="from", description="Beginning, local time.")
    end: Clock = Field(alias="to", description="End, local time, up to 24:00.")
    time_zone: Short = Field(description="IANA name, like Europe/London.")


ONE_OWNER, OWNERS_BY_DATE = "one owner", "owners by date"  # pydantic puts these into the place of an error
Owner = Annotated[
    Annotated[PersonText, Tag(ONE_OWNER)]
    | Annotated[Annotated[list[OwnerTermShape], Field(min_length=1)], Tag(OWNERS_BY_DATE)],
    Discriminator(lambda value: OWNERS_BY_DATE if isinstance(value, list) else ONE_OWNER),
]


class DomainShape(Shape):
    """An identity domain and the named people who are accountable for it."""

    name: Short = Field(description="The domain's name.")
    owner: Owner = Field(description="The one named person accountable, or a list of them by date.")
    channel: Channel = Field(description="Hears every outcome: id, title, state.")
    deputies: People | None = Field(None, description="May decide once a step or an absence has reached them.")
    risk_owner: PersonText | None = Field(None, description="Signs residual risk.")
    on_call: Slug | None = Field(None, description="A rota.")
    evidence_owner: PersonText | None = Field(None, description="Answers for evidence; default: the owner.")
    risk_statement: Text | None = Field(None, description="The residual risk that the risk owner accepts.")
    default_escalation: Slug | None = Field(None, description="Ladder of a right that is narrowed to approval.")
    hours: HoursShape | None = Field(None, description="Working hours, for reviews and reports.")


class AgreementShape(Shape):
    """Owners confirm their rows of the matrix. Without this key nobody is asked."""

    every: Span = Field(description="After this time a confirmed row is asked again, like `365d`.")
    window: Span = Field(description="Time to confirm, like `30d`.")
    unconfirmed: Literal["warn", "hold"] = Field(
        "warn", description="hold: what a change gives a provider counts only once it is confirmed."
    )


class ReportThresholdsShape(Shape):
    """Limits of a month's figures, by the names that `report provider --json` has. Above one the report raises a flag."""

    out_of_hours: Limit | None = Field(None, description="Requests outside working hours.")
    escalations: Limit | None = Field(None, description="Steps that asked somebody after the first people.")
    expired: Limit | None = Field(None, description="Requests that nobody answered.")
    refused_clicks: Limit | None = Field(None, description="Clicks that did not count.")
    break_glass: Limit | None = Field(None, description="Accesses that opened before a yes.")
    evidence_missing: Limit | None = Field(None, description="Evidence that was not handed in in time.")
    reviews_overdue: Limit | None = Field(None, description="Reviews that were not answered in time.")
    late_findings: Limit | None = Field(None, description="Findings that came later than agreed.")
    repeats_of_denied_targets: Limit | None = Field(
        None, description="Requests within a day of a denial of the same target."
    )
    approved_within_five_seconds: Limit | None = Field(None, description="Approvals within five seconds of the message.")
    answered_within_target_percent: Annotated[int, Field(ge=0, le=100)] | None = Field(
        None, description="Below this share of answers within the target the report raises a flag."
    )


class ReviewShape(Shape):
    """Periodic reviews of what a provider may do without prior consent. Without this key `review_every` works as before."""

    every: Span = Field(description="How often each right is reviewed, like `180d`.")
    break_glass_every: Span | None = Field(None, description="How often a break-glass right is; default: `every`.")
    window: WorkingDays = Field("10 working days", description="Time to answer.")
    silence: Literal["narrow", "keep"] = Field("keep", description="What an unanswered review does.")


class WeeksShape(Shape):
    """A week rotation: the `on`th of every `of` weeks, Monday to Sunday; week 1 holds the day `from`."""

    of: Annotated[int, Field(strict=True, ge=2, le=53)] = Field(description="After how many weeks it repeats.")
    on: Annotated[int, Field(strict=True, ge=1, le=53)] = Field(description="Which of them, from 1.")
    start: Day = Field(alias="from", description="A day of week 1, like 2026-01-05.")


class OverrideShape(Shape):
    """Somebody else for once; it counts before shifts and feed."""

    start: Moment = Field(alias="from", description="Beginning, like 2026-12-24T08:00: the rota's time, or with an offset.")
    end: Moment = Field(alias="to", description="End, written the same way.")
    person: PersonText = Field(description="One of the rota's people.")


class ShiftShape(Shape):
    """One person on some days of the week. A shift over midnight is written as two."""

    days: Annotated[list[DayName], Field(min_length=1)] = Field(description="Days of the week.")
    start: Clock = Field(alias="from", description="Beginning, local time.")
    end: Clock = Field(alias="to", description="End, local time, up to 24:00.")
    person: PersonText = Field(description="One of the rota's people.")
    weeks: WeeksShape | None = Field(None, description="Only in these weeks; default: every week.")


class RotaShape(Shape):
    """Says when somebody is on call; can name only its `people`."""

    source: Literal["static", "ical"] = Field(description="A feed says when, never who.")
    people: People = Field(description="The only people it can name.")
    time_zone: Short = Field(description="IANA name, like Europe/London.")
    shifts: Annotated[list[ShiftShape], Field(min_length=1)] | None = Field(None, description="For static.")
    feed: Feed | None = Field(None, description="For ical: a file of this folder, an https address or `env:NAME` of one.")
    overrides: Annotated[list[OverrideShape], Field(min_length=1)] | None = Field(None, description="Exceptions, by date.")
    fallback: PersonText | None = Field(None, description="On call when no shift is.")
    page: Page | None = Field(None, description="Where a page goes, `env:NAME` of an Apprise address.")


class StepShape(Shape):
    """One rung of a ladder: exactly one of `notify` and `remind`."""

    after: Duration = Field(description="Counts from the filing.")
    notify: Role | None = Field(None, description="Ask these people.")
    remind: Role | None = Field(None, description="Remind these people.")
    page: StrictBool = Field(False, description="Page them as well.")

    @model_validator(mode="after")
    def _one_action(self) -> StepShape:
        if (self.notify is None) == (self.remind is None):
            raise ValueError("needs exactly one of `notify` and `remind`: write one of them with a role")
        return self


class EscalationShape(Shape):
    """Who is asked when, and when the question expires."""

    expires_after: Span = Field(description="Silence until then is a no.")
    steps: Annotated[list[StepShape], Field(min_length=1, max_length=50)] = Field(
        description="In order; the first stands for minute 0."
    )
    hours: HoursShape | None = Field(None, description="Times count only inside these hours; not in an emergency.")


class FormerOriginShape(Shape):
    """Where the signing page was before a move."""

    origin: Origin = Field(description="Its origin then.")
    rp_id: RpId = Field(description="Its relying party then.")


class SigningShape(Shape):
    """Where decisions are signed with a passkey. Without this key nothing is."""

    rp_id: RpId = Field(description="WebAuthn relying party; keys are bound to it.")
    origin: Origin = Field(description="Where the page is served; http only for localhost.")
    former_origins: list[FormerOriginShape] | None = Field(None, description="Accepted in verification after a move.")
    when_slack_is_down: Literal["nobody", "signed"] = Field("nobody", description="Who may decide while Slack is down.")
    operator_acts: Literal["none", "required"] = Field(
        "none", description="Whether Confirm of an operator's act is signed."
    )
    unendorsed_delay: Span = Field("72h", description="How long an unendorsed change of keys waits; at least 24h.")
    attestation: PemPath | None = Field(None, description="Roots that a new passkey's attestation is checked against.")


class MatrixShape(Shape):
    """responsibility.yaml: who answers for what, who may ask, and who is asked next."""

    model_config = ConfigDict(title="Countersign responsibility matrix")

    organisation: Short = Field(description="The organisation's name.")
    contact: Short = Field(description="Shown in every refusal.")
    workspaces: Annotated[list[Workspace], Field(min_length=1)] = Field(
        description="Only members of these can hold authority."
    )
    people: Annotated[dict[Label, PersonShape], Field(min_length=1)] | None = Field(None, description="Labels for people.")
    providers: Annotated[dict[Slug, ProviderShape], Field(min_length=1)] = Field(description="Outside parties.")
    auditors: People | None = Field(None, description="Read and export the log.")
    domains: Annotated[dict[Slug, DomainShape], Field(min_length=1)] = Field(description="Identity domains.")
    rotas: Annotated[dict[Slug, RotaShape], Field(min_length=1)] | None = Field(None, description="On-call rotas.")
    escalation_policies: Annotated[dict[Slug, EscalationShape], Field(min_length=1)] | None = Field(
        None, description="Ladders that runbooks name."
    )
    same_person: (
        Annotated[list[Annotated[list[PersonText], Field(min_length=2, max_length=2)]], Field(min_length=1)] | None
    ) = Field(None, description="Pairs of accounts that belong to one human.")
    policy_delay: Duration = Field("15m", description="How long a change that gives authority waits.")
    hold: Duration = Field("10m", description="How long *On it* keeps the next steps back.")
    retention: Span = Field("2555d", description="How long disclosures are kept.")
    agreement: AgreementShape | None = Field(None, description="The matrix as an agreement; absent: off.")
    review: ReviewShape | None = Field(None, description="Reviews in campaigns; absent: off.")
    default_escalation: Slug | None = Field(None, description="Ladder of a right that is narrowed to approval.")
    signing: SigningShape | None = Field(None, description="Decisions signed with a passkey; absent: off.")
    reports: Literal["monthly"] | None = Field(None, description="monthly: reports are posted every month; absent: off.")
    report_thresholds: ReportThresholdsShape | None = Field(
        None, description="Limits of a month's figures that raise a flag; absent: only the built-in flags."
    )
