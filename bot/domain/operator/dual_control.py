"""Acts of an operator that two people confirm: erase, hold release, prune, new epoch, the end of a provider.

The rules:
- Somebody on the host only files the act. It runs when an auditor and a risk owner (of any domain), two distinct people,
  have both pressed **Confirm** within WINDOW; one **Refuse** of either is final, and silence confirms nothing. The end of a
  provider wants an owner in the auditor's place.
- A Confirm must be allowed by every earlier policy set that still binds: a person who became an auditor, an owner or a risk owner
  lately counts after the delay of changes. A Refuse counts at once.
- Who may press is judged at the click, under the policy of that moment, by `rights.may_confirm`; the voices given before
  are counted again at each. Nobody confirms what is about themselves.
- What was confirmed runs once. It is judged again when it runs, and may fail: then everybody gets the reason.
- The reason is kept here only while the act is open; afterwards the log's deletable table has it.
- If the policy has `operator_acts: required`, a Confirm is signed with a passkey and counts from the page alone.
Times are real: TIME_SCALE does not divide WINDOW. Source: decision-log.md, "Command line".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.authority.authorization import ConfirmingRole, Refused, confirming_roles, may_confirm
from bot.domain.case.click import Click, Refusal, Rejected
from bot.domain.case.operator_action import (
    ActKind,
    Confirmation,
    Hold,
    OperatorAction,
    OperatorActionState,
    OperatorChange,
    move_act,
)
from bot.domain.case.transition import (
    CLOCK,
    OPERATOR,
    SYSTEM,
    FileDigest,
    Lane,
    LogEvent,
    Notification,
    Private,
    Transition,
    Value,
    epoch_ms,
)
from bot.domain.decision_log import events
from bot.domain.decision_log.entry import stamp
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person, Profile
from bot.domain.workflow import notifications

WINDOW = timedelta(hours=24)
NOBODY = Person("-", "-")  # the person of the reason of an act that concerns no person


def file(act: OperatorAction, policy: Policy) -> Transition:
    """A new act: sent to everybody who may confirm it; every owner is notified."""
    draft = LogEvent(
        "operator.filed", OPERATOR, data=_data(act) | _about(act), policy=_set(policy),
        private=(Private("reason", act.reason, act.subject or NOBODY),) if act.reason else (),
    )  # fmt: skip
    asked = confirmers(policy, act.kind)
    says = [Notification("operator", Lane.CARD, act.id, to=person) for person in asked]
    says += [_told(act, person) for person in _owners(policy) if person not in asked]
    return Transition(None, None, (draft,), tuple(says), operated=OperatorChange(None, act), while_stopped=_waits(act))


def press(
    act: OperatorAction, policy: Policy, click: Click, profile: Profile, now: datetime, older: Sequence[Policy] = ()
) -> Transition:
    """Confirm or Refuse was pressed. `older`: the earlier sets that still bind what was filed when the act was."""
    no = judge(act, policy, click, profile, now)
    if no is not None:
        return refuse_click(act.id, policy, click, no)
    if click.action == "refuse":
        return _refused(act, policy, click, now)
    if click.proof is None and signature_demanded(policy, older):
        return refuse_click(act.id, policy, click, Rejected(Refusal.STALE, "sign_on_page", {"act": act.id}))
    if not all(_roles(act.kind, was, click.person) for was in older):
        return refuse_click(act.id, policy, click, Rejected(Refusal.UNAUTHORISED, "too_new", {}))
    voiced = replace(act, voices=(*act.voices, Confirmation(click.person, "confirm", now)))
    draft = _voice_entry("operator.confirmed", voiced, policy, click.person)
    if click.proof is not None:
        (draft,) = events.signed((draft,), click.person, click.proof)
    if not all(complete(voiced, judging) for judging in (policy, *older)):
        return _voiced(act, voiced, draft)
    closed = replace(voiced, state=move_act(act.state, "confirm"))
    return _voiced(act, closed, draft)


def signature_demanded(policy: Policy, older: Sequence[Policy] = ()) -> bool:
    """Whether a Confirm must be signed with a passkey; a Refuse never is."""
    return any(was.signing is not None and was.signing.operator_acts == "required" for was in (policy, *older))


def judge(act: OperatorAction, policy: Policy, click: Click, profile: Profile, now: datetime) -> Rejected | None:
    """Why a click does not count at `now`; None if it does."""
    allowed = may_confirm(policy, click.person, profile, ends_provider=act.kind == "provider_end")
    if isinstance(allowed, Refused):
        return Rejected(allowed.why, "plain", {"text": allowed.reason})
    if act.subject is not None and policy.humans.same(click.person, act.subject):
        text = f"This is about you; somebody else confirms it. Write to {policy.contact} if that is wrong."
        return Rejected(Refusal.UNAUTHORISED, "plain", {"text": text})
    if act.state is OperatorActionState.EXPIRED or (act.state is OperatorActionState.OPEN and now >= act.expires_at):
        return Rejected(Refusal.LATE, "act_late", {"at": epoch_ms(act.expires_at)})
    if act.state is not OperatorActionState.OPEN:
        last = act.voices[-1]
        params: dict[str, object] = {"state": str(act.state), "by": str(last.person), "at": epoch_ms(last.at)}
        return Rejected(Refusal.LOST, "act_lost", params)
    mine = next((v for v in act.voices if v.person == click.person), None)
    if mine is not None and click.action == "confirm":
        return Rejected(Refusal.LOST, "act_again", {"at": epoch_ms(mine.at)})
    return None


def complete(act: OperatorAction, policy: Policy) -> bool:
    """Whether the two that the kind wants, two distinct people under this policy, have confirmed."""
    return _both(policy, act.kind, [v.person for v in act.voices if v.answer == "confirm"])


def _both(policy: Policy, kind: ActKind, people: Sequence[Person]) -> bool:
    roles = {person: _roles(kind, policy, person) for person in people}
    first = [p for p in people if set(roles[p]) & {"auditor", "owner"}]
    risk_owners = [p for p in people if "risk_owner" in roles[p]]
    return any(not policy.humans.same(a, r) for a in first for r in risk_owners)


def _roles(kind: ActKind, policy: Policy, person: Person) -> tuple[ConfirmingRole, ...]:
    return confirming_roles(policy, person, ends_provider=kind == "provider_end")


def expire(act: OperatorAction, policy: Policy, now: datetime) -> Transition | None:
    """The window is over and nobody completed it; None where it is not, or has been decided."""
    if act.state is not OperatorActionState.OPEN or now < act.expires_at:
        return None
    closed = _closed(act, "expire", now)
    return _ended(act, closed, policy, LogEvent("operator.expired", CLOCK, data=_data(act), policy=_set(policy)))


def ran(
    act: OperatorAction, policy: Policy, now: datetime, result: str, *drafts: LogEvent, releases: str = ""
) -> Transition:
    """What was confirmed has been done, with `drafts`; `result` is its result."""
    subject = None if act.kind == "erase" else act.subject
    closed = replace(_closed(act, "run", now), result=result, subject=subject)
    return _ended(act, closed, policy, *drafts, releases=releases)


def failed(act: OperatorAction, policy: Policy, now: datetime, why: str) -> Transition:
    """What was confirmed cannot be done any more: nothing was changed."""
    closed = replace(_closed(act, "fail", now), result=why)
    return _ended(act, closed, policy, LogEvent("operator.refused", SYSTEM, data=_data(act), policy=_set(policy)))


def release(act: OperatorAction, subject: Person, policy: Policy, now: datetime) -> Transition:
    """The hold ends."""
    data: dict[str, Value] = {"subject": subject, "hold": act.hold}
    draft = LogEvent("hold.released", OPERATOR, data=data, policy=_set(policy))
    return ran(act, policy, now, f"The hold {act.hold} is released.", draft, releases=act.hold)


def end_provider(act: OperatorAction, policy: Policy, now: datetime) -> Transition:
    """The provider is ended: from now on as at the end of its contract (`providers.asking_rights`)."""
    provider = policy.providers[act.hold]
    data: dict[str, Value] = {"provider": provider.id, "id": act.id}
    draft = LogEvent("provider.ended", OPERATOR, data=data, policy=_set(policy))
    return ran(act, policy, now, f"{provider.name} is ended: what was pending expires, what was open ends.", draft)


def place(hold: Hold, reason: str, policy: Policy) -> Transition:
    """A hold is in force at once: it only keeps."""
    data: dict[str, Value] = {"subject": hold.subject, "hold": hold.id}
    private = (Private("reason", reason, hold.subject),)
    draft = LogEvent("hold.placed", OPERATOR, data=data, policy=_set(policy), private=private)
    return Transition(None, None, (draft,), operated=OperatorChange(places=hold))


def refuse_click(act_id: str, policy: Policy, click: Click, no: Rejected) -> Transition:
    """Changes nothing, answers its author, leaves one entry."""
    data: dict[str, Value] = {"action": click.action, "why": str(no.why), "id": act_id}
    draft = LogEvent("decision.refused", events.actor(policy, click.person), data=data, policy=_set(policy))
    return Transition(
        None, None, (draft,), (notifications.answer(None, click.person, click.reply, no.sentence, **no.params),)
    )


def confirmers(policy: Policy, kind: ActKind) -> tuple[Person, ...]:
    """Everybody whose voice could count, each once."""
    first = _owners(policy) if kind == "provider_end" else policy.auditors
    risk_owners = (d.risk_owner for d in policy.domains.values() if d.risk_owner is not None)
    return tuple(person for person in dict.fromkeys((*first, *risk_owners)) if _roles(kind, policy, person))


def possible(policy: Policy, kind: ActKind) -> bool:
    """Whether the policy names two people who could complete an act of this kind."""
    return _both(policy, kind, confirmers(policy, kind))


def _voiced(before: OperatorAction, after: OperatorAction, draft: LogEvent) -> Transition:
    return Transition(
        None, None, (draft,), (), None, before.expires_at, operated=OperatorChange(before, after), refresh=True,
        while_stopped=_waits(before),
    )  # fmt: skip


def _waits(act: OperatorAction) -> bool:
    """Whether the act works while the log is stopped: only an act that restarts the log."""
    return act.kind == "new_epoch"


def _refused(act: OperatorAction, policy: Policy, click: Click, now: datetime) -> Transition:
    closed = _closed(replace(act, voices=(*act.voices, Confirmation(click.person, "refuse", now))), "refuse", now)
    draft = _voice_entry("operator.refused", closed, policy, click.person)
    return replace(_ended(act, closed, policy, draft), valid_before=act.expires_at)


def _ended(
    before: OperatorAction, after: OperatorAction, policy: Policy, *drafts: LogEvent, releases: str = ""
) -> Transition:
    """Notifies everybody who was asked or notified of the result: edits alone do not notify."""
    people = dict.fromkeys((*confirmers(policy, before.kind), *_owners(policy)))
    says = tuple(_told(after, person) for person in people)
    change = OperatorChange(before, after, releases=releases)
    return Transition(None, None, drafts, says, operated=change, refresh=True, while_stopped=_waits(before))


def _told(act: OperatorAction, person: Person) -> Notification:
    return Notification("operator_told", Lane.CARD, act.id, to=person)


def _closed(act: OperatorAction, event: str, now: datetime) -> OperatorAction:
    return replace(act, state=move_act(act.state, event), closed_at=now, reason="")


def _voice_entry(type_: str, act: OperatorAction, policy: Policy, person: Person) -> LogEvent:
    roles: tuple[Value, ...] = _roles(act.kind, policy, person)
    return LogEvent(type_, events.actor(policy, person), data=_data(act) | {"roles": roles}, policy=_set(policy))


def _data(act: OperatorAction) -> dict[str, Value]:
    return {"act": act.kind, "id": act.id}


def _about(act: OperatorAction) -> dict[str, Value]:
    told: dict[str, Value] = {"expires_at": stamp(act.expires_at)}
    told |= {"subject": act.subject} if act.subject is not None else {}
    told |= {("provider" if act.kind == "provider_end" else "hold"): act.hold} if act.hold else {}
    return told | ({"before": stamp(act.before)} if act.before is not None else {})


def _owners(policy: Policy) -> tuple[Person, ...]:
    return tuple(dict.fromkeys(domain.owner for domain in policy.domains.values()))


def _set(policy: Policy) -> FileDigest:
    return FileDigest(policy.organisation, policy.digest)
