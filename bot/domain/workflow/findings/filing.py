"""A finding is filed: by anybody of a provider that its runbook names, and by anybody of the organisation.

None of the limits on requests applies. The same again (same domain, where as `same_text` compares it) joins the one that is
not closed. The ladder runs according to the runbook's escalation policy; the ask itself never expires, and the end of the ladder is
the request's `expires_at`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.domain.case.ask import Ask, Remark
from bot.domain.case.lifecycle import FindingState
from bot.domain.case.model import Case, FieldValue, Finding, Request, Terms
from bot.domain.case.transition import FileDigest, Transition
from bot.domain.decision_log import events, finding_events
from bot.domain.policy.model import Policy, Runbook
from bot.domain.policy.people import Person
from bot.domain.timing.escalation import Presence
from bot.domain.timing.steps import deadline, freeze
from bot.domain.workflow import notifications
from bot.domain.workflow.asks import engine
from bot.domain.workflow.filing import told
from bot.domain.workflow.filing_form import REASON_MAX, TARGET_MAX, FieldError, Form, check_field
from bot.domain.workflow.follow_up import Effects
from bot.domain.workflow.wake import wake_at

NEVER = datetime(2999, 1, 1, tzinfo=UTC)  # when a finding's ask expires
AHEAD = timedelta(minutes=5)  # clocks of people and of the bot need not agree to the second


def is_home(policy: Policy, person: Person) -> bool:
    """Whether a person belongs to a home workspace and to no provider."""
    return person.team in policy.workspaces and policy.provider_of(person) is None


def may_file(policy: Policy, runbook: Runbook, person: Person) -> bool:
    """Whether a person may file a finding under this runbook; no role is needed for it."""
    provider = policy.provider_of(person)
    return runbook.kind == "finding" and (provider.id in runbook.providers if provider else is_home(policy, person))


def check(policy: Policy, form: Form, now: datetime) -> tuple[FieldError, ...]:
    """Everything wrong with a form, each error at its field. Empty: it may be filed."""
    runbook = policy.runbooks.get(form.runbook)
    if runbook is None or not may_file(policy, runbook, form.requester):
        return (FieldError("runbook", f"You cannot report this here. Write to {policy.contact}."),)
    errors: list[FieldError] = []
    where = form.target.strip()
    if not where or len(where) > TARGET_MAX or any(c in where for c in "\r\n"):
        errors.append(FieldError("target", f"Say where on one line of at most {TARGET_MAX} characters."))
    if not form.reason.strip() or len(form.reason) > REASON_MAX:
        errors.append(
            FieldError("reason", f"Say what you found, in at most {REASON_MAX} characters. Never the secret itself.")
        )
    if form.noticed_at is not None and form.noticed_at > now + AHEAD:
        errors.append(FieldError("noticed", "That time is in the future. Say when it was noticed."))
    return (*errors, *(e for spec in runbook.fields for e in check_field(spec, form.fields)))


def file(
    policy: Policy, form: Form, same: Case | None, presence: Presence, now: datetime, scale: float, *, form_view: str = ""
) -> Transition:
    """A new finding whose first step has fired, a repeat that joins `same`, or a refusal."""
    errors = check(policy, form, now)
    if errors:
        return _refused(policy, form, " ".join(e.text for e in errors), form_view)
    if same is not None:
        return _joined(policy, form, same, now, form_view)
    case = opened(policy, form, policy.runbooks[form.runbook], now, scale)
    after = begun(case, policy, presence, now)
    assert after.after is not None
    says = (
        notifications.receipt(after.after, form.door),
        *notifications.lead_copies(after.after, policy),
        *told(after.after.id, form.requester, "filed", {"id": form.id}, form_view)[1:],
    )
    return replace(after, says=(*after.says, *says))


def begun(case: Case, policy: Policy, presence: Presence, now: datetime) -> Transition:
    """The first step of a new finding, with its entries and cards."""
    stepped = engine.step(case, case.approval, policy, presence, now)
    effects = Effects(case, (finding_events.filed(case, policy),)).then(stepped)
    return Transition(None, effects.case, effects.drafts, effects.says, wake_at(effects.case, policy, now))


def opened(policy: Policy, form: Form, runbook: Runbook, now: datetime, scale: float) -> Case:
    """A new finding with its frozen steps, before any of them fired."""
    ladder = policy.escalation_policies[runbook.escalation or ""]
    provider = policy.provider_of(form.requester)
    labels = {spec.name: spec.label for spec in runbook.fields}
    ends_at = deadline(ladder, now, scale)
    request = Request(
        id=form.id, kind="finding", right=runbook.right, runbook=runbook.id, runbook_sha256=runbook.sha256,
        policy_sha256=policy.digest, title=runbook.title, domain=runbook.domain, provider=provider.id if provider else "",
        requester=form.requester, target=form.target.strip(), reason=form.reason.strip(),
        fields=tuple(FieldValue(n, labels[n], v) for n, v in form.fields.items() if n in labels and v != ""),
        seconds=0, filed_at=now, expires_at=ends_at, state=FindingState.OPEN, terms=Terms(scale=scale),
    )  # fmt: skip
    ask = Ask("finding", 1, 1, (), now, NEVER, steps=freeze(runbook, ladder, now, scale, wide=False), warn_at=ends_at)
    noticed = min(form.noticed_at or now, now)
    return Case(request, (ask,), finding=Finding(noticed, runbook.due_within))


def _joined(policy: Policy, form: Form, same: Case, now: datetime, form_view: str) -> Transition:
    """A repeat: its text is added to the cards of the open finding, and nobody is asked again."""
    ask = same.approval
    what = form.reason.strip()
    after = same.with_approval(replace(ask, notes=(*ask.notes, Remark("joined", form.requester, now, what))))
    draft = finding_events.joined(after, policy, form.requester, form.id, what, min(form.noticed_at or now, now))
    provider = policy.provider_of(form.requester)
    theirs = (provider.id if provider else "") == same.request.provider  # another provider's stays hidden (rule 11)
    params = {"id": same.id} if theirs else {}
    says = told(None, form.requester, "finding_joined", params, form_view)
    return Transition(same, after, (draft,), says, wake_at(after, policy, now), refresh=True)


def _refused(policy: Policy, form: Form, text: str, form_view: str) -> Transition:
    """The case's only outcome; its id was promised, so it is kept."""
    runbook = policy.runbooks.get(form.runbook)
    named = FileDigest(runbook.id, runbook.sha256) if runbook else None
    draft = events.refused_filing(form.id, form.requester, named, policy, "invalid")
    says = told(None, form.requester, "refused_filing", {"id": form.id, "text": text}, form_view)
    return Transition(None, None, (draft,), says)
