"""Who may file what, and whether a form is filled in correctly.

The same rules check a form twice: before it is acknowledged, where each error is shown at its field and no row is written,
and in the worker, where a refusal is the case's only outcome. Design, sections 2 and 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from bot.domain.governance import narrowing
from bot.domain.policy import field_values
from bot.domain.policy.model import FieldSpec, Policy, Runbook
from bot.domain.policy.people import Person
from bot.domain.policy.provider import Provider
from bot.domain.timing import end_dates
from bot.domain.workflow import autonomous_rights
from bot.domain.workflow.providers import asking_rights

TARGET_MAX, REASON_MAX = 200, 1000  # characters


@dataclass(frozen=True, slots=True)
class Form:
    """What a person typed, as values. `seconds` is policy time, `until` the last day of what ends on a date instead;
    `fields` by the names of the runbook's own fields."""

    id: str
    requester: Person
    runbook: str
    target: str
    reason: str
    seconds: int
    fields: Mapping[str, str]
    subject: Person | None = None
    door: str = ""
    until: date | None = None
    noticed_at: datetime | None = None  # of a finding, as stated
    by_host: bool = False  # the host's operator files it for the requester


@dataclass(frozen=True, slots=True)
class FieldError:
    """`field` is runbook, target, reason, duration, until, subject, noticed or `field.<name>`; `text` says what the person can do."""

    field: str
    text: str


def provider_asking(policy: Policy, person: Person) -> Provider | None:
    """The provider for which a person may ask."""
    return next((p for p in policy.providers.values() if p.may_ask(person)), None)


def unfit(runbook: Runbook) -> str | None:
    """Why nothing can be filed under a runbook now; None if it can."""
    if runbook.break_glass is not None and (runbook.subject_verification or runbook.not_before):
        return "This runbook contradicts itself: it opens at once, and asks for proof or a wait first. Its owner must correct it."
    return None


def not_asked_by(policy: Policy, runbook: Runbook, person: Person, today: date) -> bool:
    """Whether this person's provider may not ask under the runbook, or not today."""
    provider = provider_asking(policy, person)
    if provider is None or provider.id not in runbook.providers:
        return True
    return not_now(policy, provider, runbook, today) is not None


def withdrawn(policy: Policy, runbook: Runbook) -> str | None:
    """Why nothing is possible under an autonomous right any more; None if it is."""
    gone = runbook.right == "autonomous" and autonomous_rights.withdrawn(policy, runbook.sha256)
    return autonomous_rights.WITHDRAWN if gone else None


def not_now(policy: Policy, provider: Provider, runbook: Runbook, today: date) -> str | None:
    """Why a provider files nothing under a runbook of its own today: contract or suspension. None if it may."""
    if asking_rights.suspended(policy, provider.id, runbook.domain):
        return asking_rights.suspended_sentence(policy, provider, runbook.domain)
    if provider.begins_later(today):
        return f"The contract of {provider.name} begins on {provider.contract_from}. Write to {policy.contact}."
    if provider.ended(today):
        return f"The contract of {provider.name} ended on {provider.contract_until}. Write to {policy.contact}."
    if provider.id in policy.standing.contracts_over:
        return f"The contract of {provider.name} has ended. Write to {policy.contact}."
    return None


def check(policy: Policy, form: Form, today: date) -> tuple[FieldError, ...]:
    """Everything wrong with a form, each error at its field. Empty: it may be filed, brakes aside."""
    provider = provider_asking(policy, form.requester)
    runbook = policy.runbooks.get(form.runbook)
    if provider is None:
        return (FieldError("runbook", f"You are not named as a requester. Write to {policy.contact}."),)
    if runbook is None or runbook.kind == "finding" or provider.id not in runbook.providers:
        return (FieldError("runbook", "Choose one of the runbooks that your provider may ask for."),)
    unserved = not_now(policy, provider, runbook, today) or unfit(runbook) or withdrawn(policy, runbook)
    unserved = unserved or narrowing.withdrawn(policy, runbook, form.requester)
    if unserved is not None:
        return (FieldError("runbook", unserved),)
    return (
        *_check_own(policy, form, runbook, today),
        *(e for spec in runbook.fields for e in check_field(spec, form.fields)),
    )


def _check_own(policy: Policy, form: Form, runbook: Runbook, today: date) -> list[FieldError]:
    errors: list[FieldError] = []
    target = form.target.strip()
    if not target or len(target) > TARGET_MAX or any(c in target for c in "\r\n"):
        errors.append(FieldError("target", f"Name the target on one line of at most {TARGET_MAX} characters."))
    elif runbook.targets and target not in runbook.targets:
        errors.append(FieldError("target", "Choose one of the listed targets."))
    if not form.reason.strip() or len(form.reason) > REASON_MAX:
        errors.append(FieldError("reason", f"Say why, in at most {REASON_MAX} characters."))
    if end_dates.is_dated(runbook):
        wrong = end_dates.wrong_day(form.until, today, runbook.max_duration)
        errors += [FieldError("until", wrong)] if wrong else []
    elif not 0 < form.seconds <= runbook.max_duration:
        errors.append(FieldError("duration", "Choose a duration up to the maximum of this runbook."))
    if runbook.subject_verification and form.subject is None:
        errors.append(FieldError("subject", "Name the person whose credential is reset."))
    elif form.subject is not None and policy.humans.same(form.subject, form.requester):
        errors.append(FieldError("subject", "You can't ask for a reset of your own credential. Have a colleague ask."))
    return errors


def check_field(spec: FieldSpec, values: Mapping[str, str]) -> list[FieldError]:
    """What is wrong with one of the runbook's own fields."""
    value = values.get(spec.name, "").strip()
    if not value:
        return [FieldError(f"field.{spec.name}", f"{spec.label} is required.")] if spec.required else []
    text = field_values.wrong(spec, value)
    return [FieldError(f"field.{spec.name}", text)] if text else []
