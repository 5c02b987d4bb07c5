"""A filing: a new pending case whose first step has fired, or a refusal that is the case's only outcome.

The worker re-runs the form's validation (`filing_form`) and adds the brakes: at most PENDING_MAX pending requests of one
person in a domain, never the same request twice, and the runbook's limit. What was denied within a day also asks whoever
denied it; what expired within two hours asks everybody at once. Requests that are only pending because nobody filled in a form
(a review narrowed their right, a row is disputed or held) do not count towards PENDING_MAX for an emergency.
Design, sections 2, 4 and 6; governance-contract.md, its first rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot.domain.authority.authorization import conflicted, named_for
from bot.domain.case.ask import Ask, Reached, Step
from bot.domain.case.model import Case, FieldValue, Request, Terms
from bot.domain.case.transition import FileDigest, Lane, Notification, Transition
from bot.domain.decision_log import events
from bot.domain.governance import narrowing
from bot.domain.policy.model import Policy, Role, Runbook
from bot.domain.policy.people import Person
from bot.domain.timing import end_dates
from bot.domain.timing.escalation import Advance, Fired, Presence, Skipped, advance, fire
from bot.domain.timing.steps import deadline, freeze, warn_at
from bot.domain.workflow import authority_reset, autonomous_rights, break_glass, identity_proof, notifications
from bot.domain.workflow.asks import engine
from bot.domain.workflow.filing_form import Form, check, provider_asking
from bot.domain.workflow.follow_up import Effects
from bot.domain.workflow.slack_down import host_filing
from bot.domain.workflow.wake import wake_at

PENDING_MAX = 3  # requests of one person in a domain
_UNUSED = autonomous_rights.Used()


@dataclass(frozen=True, slots=True)
class Earlier:
    """What earlier requests say about this one. See `bot.ports.store.Brakes`."""

    pending: int
    same_pending: str | None
    denied_by: Person | None
    expired_recently: bool
    asks_in_week: int = 0
    last_outcome: str = ""
    glass_opened: int = 0  # break-glass openings of the provider in the domain, within the quota's window
    glass_overdue: bool = False  # a ratification or review of one of them is overdue
    used: autonomous_rights.Used = _UNUSED  # of the runbook's limit
    waiting: int = 0  # of `pending`: would have opened at once, had nothing been narrowed, disputed or held


def file(
    policy: Policy, form: Form, earlier: Earlier, presence: Presence, now: datetime, scale: float, *, form_view: str = ""
) -> Transition:
    """The filing, judged by the worker: a new pending case whose first step has fired, or a refusal."""
    wrong = " ".join(error.text for error in check(policy, form, now.date()))
    if wrong:
        return _refused(policy, form, "invalid", wrong, form_view)
    policy = authority_reset.asking_first(
        narrowing.asking(policy, form.runbook, form.requester), form.runbook, form.subject
    )
    runbook = policy.runbooks[form.runbook]
    if form.by_host and (unfit := host_filing.refusal(policy, runbook)) is not None:
        return _refused(policy, form, "invalid", unfit, form_view)
    no = _too_much(runbook, earlier, scale)
    if no is not None:
        return _refused(policy, form, *no, form_view)
    case = opened(policy, form, runbook, earlier, now, scale)
    if case.request.seconds <= 0:
        return _refused(policy, form, "invalid", "The day that you chose is over. Choose a later one.", form_view)
    if runbook.break_glass is not None and break_glass.debt(runbook, earlier.glass_opened, earlier.glass_overdue) is None:
        return _at_once(break_glass.begin(case, policy, runbook, presence, now), policy, form, form_view)
    if runbook.right == "autonomous":
        begun = autonomous_rights.begin(case, policy, now)
        act = Transition(None, begun.case, begun.drafts, begun.says, wake_at(begun.case, policy, now))
        return _at_once(act, policy, form, form_view)
    return _pending(case, policy, form, earlier, presence, now, form_view)


def _too_much(runbook: Runbook, earlier: Earlier, scale: float) -> tuple[str, str] | None:
    """The code and the sentence of a refusal because of what was filed before; None if nothing of it refuses."""
    pending = earlier.pending - (earlier.waiting if _is_emergency(runbook) else 0)
    if pending >= PENDING_MAX:
        text = f"You already have {pending} pending requests in this domain. Withdraw one, or wait for an answer."
        return "too_many_pending", text
    if earlier.same_pending is not None:
        return (
            "already_pending",
            f"The same is already asked for and pending: {earlier.same_pending}. Nobody is asked twice.",
        )
    over = autonomous_rights.spent(runbook.limit, earlier.used, scale)
    return None if over is None else ("limit", over)


def _is_emergency(runbook: Runbook) -> bool:
    return runbook.kind == "emergency_access" or runbook.right == "immediate"


def _pending(
    case: Case, policy: Policy, form: Form, earlier: Earlier, presence: Presence, now: datetime, form_view: str
) -> Transition:
    """A pending case whose first step has fired."""
    result = _with_denier(advance(case, case.approval, policy, presence, now), case, policy, presence, earlier, now)
    effects = Effects(case, (events.filed(case, policy),)).then(engine.stepped(case, policy, result, presence, now))
    after = effects.case
    says = [*effects.says, *(notifications.card(after, r) for r in result.ask.reached if not _told(result, r))]
    if form.by_host:
        after, pages = host_filing.paged(after, policy, presence)
        says += [*host_filing.said(after, policy), *pages]
    says += [
        notifications.receipt(after, form.door),
        *notifications.lead_copies(after, policy),
        *notifications.to_subject(after, "before"),
        *_form_result(form_view, after.id, form.requester, "filed", {"id": after.id}),
    ]
    return Transition(None, after, effects.drafts, tuple(says), wake_at(after, policy, now))


def _at_once(act: Transition, policy: Policy, form: Form, form_view: str) -> Transition:
    """A break-glass or an autonomous right, with the receipt and the lead's copies that every filing has."""
    assert act.after is not None
    told = (
        notifications.receipt(act.after, form.door),
        *notifications.lead_copies(act.after, policy),
        *_form_result(form_view, act.after.id, form.requester, "filed", {"id": act.after.id}),
    )
    return replace(act, says=(*act.says, *told))


def refused_by_clock(policy: Policy, form: Form, form_view: str = "") -> Transition:
    """How a filing that would open something at once is refused while the clock is doubted (rule 12)."""
    text = f"The bot's clock jumped, and nothing opens until an operator has confirmed it. Write to {policy.contact}."
    return _refused(policy, form, "clock", text, form_view)


def given_up(policy: Policy, form: Form, form_view: str = "") -> Transition:
    """How a filing that failed at every attempt ends: its id was promised, so it is refused like any other."""
    text = f"It could not be carried out, and nothing was changed. Send it again, or write to {policy.contact}."
    return _refused(policy, form, "failed", text, form_view)


def opened(policy: Policy, form: Form, runbook: Runbook, earlier: Earlier, now: datetime, scale: float) -> Case:
    """A new case with its frozen steps, before any of them fired."""
    provider = provider_asking(policy, form.requester)
    assert provider is not None
    autonomous = runbook.right == "autonomous"
    ladder = None if autonomous else policy.escalation_policies[runbook.escalation or ""]
    ends_at, seconds = _end(form, runbook, now, scale)
    expires_at = deadline(ladder, now, scale) if ladder else autonomous_rights.waits_until(runbook, now, scale)
    expires_at = min(expires_at, ends_at or datetime.max.replace(tzinfo=UTC))
    labels = {spec.name: spec.label for spec in runbook.fields}
    request = Request(
        id=form.id, kind=runbook.kind, right=runbook.right, runbook=runbook.id, runbook_sha256=runbook.sha256,
        policy_sha256=policy.digest, title=runbook.title, domain=runbook.domain, provider=provider.id,
        requester=form.requester, target=form.target.strip(), reason=form.reason.strip(),
        fields=tuple(FieldValue(n, labels[n], v) for n, v in form.fields.items() if n in labels and v != ""),
        seconds=seconds, filed_at=now, expires_at=expires_at, subject=form.subject,
        asks_before=earlier.asks_in_week, last_outcome=earlier.last_outcome, denied_lately=earlier.denied_by is not None,
        terms=terms_of(runbook, scale, ends_at), by_host=form.by_host,
    )  # fmt: skip
    duties = identity_proof.duties(runbook, now, expires_at)
    if ladder is None:
        return Case(request, (Ask("approval", 1, 0, (), now, expires_at),), duties=duties)
    steps = freeze(runbook, ladder, now, scale, wide=earlier.expired_recently)
    if earlier.denied_by is not None:
        steps = _nobody_later(steps)
    ask = Ask("approval", 1, runbook.approvals, runbook.requires, now, expires_at, steps=steps)
    ask = replace(ask, warn_at=warn_at(now, expires_at, scale))
    return Case(request, (ask,), duties=duties)


def terms_of(runbook: Runbook, scale: float, ends_at: datetime | None = None) -> Terms:
    """The runbook's current terms for the time after the approval. `ends_at`: the date on which an exception ends."""
    return Terms(
        runbook.max_duration, runbook.evidence, runbook.rotate_within, runbook.review_within, scale,
        audience=runbook.audience, ends_at=ends_at, max_renewals=runbook.max_renewals if ends_at else 0, risk=runbook.risk,
        not_before=runbook.not_before, webhook=runbook.executor.webhook if runbook.executor else "",
        secret=runbook.executor.secret if runbook.executor else "", signature=runbook.signature,
    )  # fmt: skip


def _end(form: Form, runbook: Runbook, now: datetime, scale: float) -> tuple[datetime | None, int]:
    """The date on which an exception ends, None for everything else; and how long that is, in seconds of policy."""
    if not end_dates.is_dated(runbook):
        return None, form.seconds
    if form.until is None:  # nobody chose a day: `explain` plays a request without a form
        return now + timedelta(seconds=form.seconds / scale), form.seconds
    longest = runbook.max_duration
    return end_dates.end(form.until, now, longest, scale), end_dates.span(form.until, now, longest)


def _nobody_later(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """A repeat of something just denied asks the minute-0 set and the denier, and nobody later."""
    return tuple(s for s in steps if s.index == 0 or s.action == "remind")


def _with_denier(
    result: Advance, case: Case, policy: Policy, presence: Presence, earlier: Earlier, now: datetime
) -> Advance:
    """Adds a person who denied the same within a day, while still named for the domain, to those of the first step."""
    denier = earlier.denied_by
    domain = policy.domains[case.request.domain]
    if denier is None or denier in result.ask.asked or denier not in named_for(policy, domain):
        return result
    if conflicted(case, policy, denier) or not presence.here(denier):
        return result
    role: Role = "deputies" if denier in domain.deputies else "risk_owner" if denier == domain.risk_owner else "on_call"
    new = Reached(denier, role, 0, now)
    ask = case.approval
    if not result.events:  # working hours hold the first step back; the denier is asked at once
        return Advance(replace(ask, reached=(new,)), ())
    first, *rest = result.events
    fired = fire(case, ask, policy, presence, first.step, [*(first.people if isinstance(first, Fired) else ()), new])
    steps = (replace(ask.steps[0], state="fired"), *result.ask.steps[1:])
    if not fired.unheard and (isinstance(first, Skipped) or first.unheard):
        rest, steps = [], (steps[0], *ask.steps[1:])  # the person who denied is asked anyway, so no step fires earlier
    return Advance(replace(ask, steps=steps, reached=fired.people), (fired, *rest))


def _told(result: Advance, reached: Reached) -> bool:
    return any(isinstance(event, Fired) and reached in event.people for event in result.events)


def _refused(policy: Policy, form: Form, code: str, text: str, form_view: str) -> Transition:
    """The case's only outcome; its id was promised, so it is kept."""
    runbook = policy.runbooks.get(form.runbook)
    named = FileDigest(runbook.id, runbook.sha256) if runbook else None
    draft = events.refused_filing(form.id, form.requester, named, policy, code)
    params: dict[str, object] = {"id": form.id, "text": text}
    return Transition(None, None, (draft,), told(None, form.requester, "refused_filing", params, form_view))


def told(
    case: str | None, person: Person, sentence: str, params: Mapping[str, object], form_view: str
) -> tuple[Notification, ...]:
    """What a form came to: to its author, and on its page while that is open."""
    return (
        notifications.answer(case, person, {}, sentence, **params),
        *_form_result(form_view, case, person, sentence, params),
    )


def _form_result(
    view: str, case: str | None, person: Person, sentence: str, params: Mapping[str, object]
) -> tuple[Notification, ...]:
    if not view:
        return ()
    return (Notification("form", Lane.CARD, case, to=person, data={"view": view, "sentence": sentence, **params}),)
