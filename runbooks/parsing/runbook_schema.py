"""The format of a runbook's front matter, key by key. Strict, like the matrix (`schema`)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StrictBool

from bot.domain.policy.model import FieldType, Kind, Right, Role
from runbooks.parsing.scalars import Audience, CsvPath, Day, Env, LimitText, Long, Pattern, Short, Slug, Span, Word
from runbooks.parsing.schema import Shape


class FieldShape(Shape):
    """One field of the form."""

    name: Word = Field(description="How the log calls it.")
    label: Long = Field(description="How the form calls it.")
    type: FieldType = Field(description="What may be typed.")
    required: StrictBool = Field(False, description="Whether it must be filled in.")
    pattern: Pattern | None = Field(None, description="A regular expression for the whole text.")
    min: int | float | Day | None = Field(None, description="Least number, earliest day, or least length of a text.")
    max: int | float | Day | None = Field(None, description="Largest number, latest day, or greatest length of a text.")
    options: Annotated[list[Short], Field(min_length=1, max_length=100)] | None = Field(
        None, description="What a select offers."
    )
    hint: Long | None = Field(None, description="Stands below the field.")


class BreakGlassShape(Shape):
    """Access opens at once; the owner owes a ratification."""

    ratify_within: Span = Field(description="Time to ratify.")
    quota: LimitText | None = Field(None, description="Per provider and domain, like `2 per 30d`.")


class ExecutorShape(Shape):
    """The system that opens and closes the access (Standard Webhooks)."""

    webhook: Env = Field(description="`env:NAME` of its address.")
    secret: Env = Field(description="`env:NAME` of its secret `whsec_…`.")


FINDING: Kind = "finding"
ASKS_FOR_ACCESS = ("right", "max_duration")  # what every runbook says but a finding's
NOT_FOR_FINDINGS = (
    *ASKS_FOR_ACCESS, "default_duration", "approvals", "requires", "evidence", "rotate_within", "review_within", "signature",
    "audience", "limit", "review_every", "tell", "break_glass", "risk", "max_renewals", "subject_verification", "targets",
    "executor", "not_before",
)  # fmt: skip


class RunbookShape(Shape):
    """Front matter of a runbook: one kind of thing that may be asked for."""

    model_config = ConfigDict(
        title="Countersign runbook front matter",
        json_schema_extra={
            "if": {"properties": {"kind": {"const": FINDING}}},
            "then": {"required": ["escalation"], "properties": dict.fromkeys(NOT_FOR_FINDINGS, False)},
            "else": {"required": list(ASKS_FOR_ACCESS), "properties": {"due_within": False}},
        },
    )

    id: Slug = Field(description="Equals the file name.")
    title: Short = Field(description="What is asked for, as people read it.")
    kind: Kind = Field(description="Which command files it; finding: what must be escalated at once, no access.")
    domain: Slug = Field(description="Whose owner decides.")
    providers: Annotated[list[Slug], Field(min_length=1)] = Field(description="Who may ask.")
    right: Right | None = Field(
        None, description="Whether the provider may act before, after or without a yes; not for a finding."
    )
    max_duration: Span | None = Field(None, description="The longest access, extensions included; not for a finding.")
    default_duration: Span | None = Field(None, description="What the form proposes; default: max_duration.")
    approvals: Annotated[int, Field(ge=1, le=20)] | None = Field(None, description="Distinct people; default 1.")
    requires: Annotated[list[Role], Field(min_length=1, max_length=4)] | None = Field(
        None, description="Roles that must be among the approvers."
    )
    escalation: Slug | None = Field(None, description="An escalation policy; not for autonomous.")
    evidence: Annotated[list[Word], Field(min_length=1, max_length=20)] | None = Field(
        None, description="Owed after the end."
    )
    rotate_within: Span | None = Field(None, description="The rotation of a shared credential is owed by then.")
    review_within: Span | None = Field(None, description="Post-use review; always for emergency_access.")
    signature: Literal["none", "required", "device_bound"] | None = Field(
        None,
        description="Whether each yes is signed with a passkey; device_bound: one that cannot be synced. Default none.",
    )
    audience: Audience | None = Field(None, description="The system that accepts the permit; default: the id.")
    fields: Annotated[list[FieldShape], Field(min_length=1, max_length=80)] | None = Field(
        None, description="The form's own fields."
    )
    limit: LimitText | None = Field(None, description="Per provider and runbook, like `5 per 7d`.")
    review_every: Span | None = Field(None, description="Autonomous: the right itself is reviewed.")
    tell: Literal["each", "daily"] | None = Field(None, description="Autonomous: how the owner hears; default daily.")
    break_glass: BreakGlassShape | None = Field(None, description="Immediate: opens before the yes.")
    risk: Literal["low", "medium", "high"] | None = Field(None, description="policy_exception; default low.")
    max_renewals: Annotated[int, Field(ge=0, le=100)] | None = Field(None, description="policy_exception; default 2.")
    subject_verification: Annotated[list[Word], Field(min_length=1, max_length=10)] | None = Field(
        None, description="reset: how the subject's identity is attested."
    )
    targets: CsvPath | None = Field(None, description="CSV file `target,domain`: the form offers these only.")
    executor: ExecutorShape | None = Field(None, description="The system that opens and closes the access.")
    not_before: Span | None = Field(None, description="reset: nothing opens earlier than this.")
    due_within: Span | None = Field(None, description="finding: reported later than this after it was noticed is late.")
