"""Who is notified of what. Texts and drawing are in `handlers.views`; here only the recipient, the lane and the subject."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bot.domain.authority.authorization import named_for, waiting_asks
from bot.domain.authority.policy_rollout import gains
from bot.domain.case.ask import OWN, Ask, Reached
from bot.domain.case.lifecycle import AskState, RequestState
from bot.domain.case.model import NOBODY, Case
from bot.domain.case.transition import Lane, Notification, epoch_ms
from bot.domain.governance.changes import differences
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.timing.escalation import Fired, Skipped
from bot.domain.timing.quiet_hours import kept_by

PAGER = "pager"  # messages sent outside Slack (`bot.background.pager`)


def lane(case: Case) -> Lane:
    """Emergencies go before everything else."""
    return Lane.URGENT if case.request.kind in ("emergency_access", "finding") else Lane.CARD


def card(case: Case, reached: Reached) -> Notification:
    data = {"role": reached.role, "for_owner": reached.for_owner}
    return Notification("card", lane(case), case.id, to=reached.person, data=data)


def cards_again(case: Case, person: Person) -> tuple[Notification, ...]:
    """The cards of every open ask that has reached this person."""
    found: list[Notification] = []
    for ask in (ask for ask in case.asks if ask.state is AskState.OPEN):
        reached = next((r for r in ask.reached if r.person == person), None)
        if reached is not None:
            found.append(card_of(case, ask, reached, wanted=True))
    return tuple(found)


def reviews_again(case: Case, policy: Policy, person: Person) -> tuple[Notification, ...]:
    """The cards of the open asks after the yes that wait for this person."""
    later = (ask for ask in waiting_asks(case, policy, person) if ask.kind not in OWN)
    found = ((ask, next(r for r in ask.reached if r.person == person)) for ask in later)
    return tuple(ask_card(case, ask, reached, wanted=True) for ask, reached in found)


def owed(case: Case, person: Person) -> Notification:
    """What is still owed, with its buttons, to the requester or a lead of their provider."""
    return Notification("owed", Lane.CARD, case.id, to=person)


def card_of(case: Case, ask: Ask, reached: Reached, *, wanted: bool = False) -> Notification:
    """The card of any ask."""
    if ask.kind in OWN:
        return card(case, reached)
    return ask_card(case, ask, reached, wanted=wanted)


def home(person: Person) -> Notification:
    """Somebody's App Home, asked for by themselves: before the edits, for they are looking at it."""
    return Notification("home", Lane.CARD, to=person, key=home_key(person))


def home_key(person: Person) -> str:
    """One unsent drawing of a Home replaces all others."""
    return f"home:{person}"


def seen_in_homes(case: Case, policy: Policy) -> frozenset[Person]:
    """Whose App Home shows this case: the requester's, of everybody asked, of everybody named in its domain, of the provider's
    leads and of the auditors."""
    domain = policy.domains.get(case.request.domain)
    named = named_for(policy, domain) if domain is not None else frozenset()
    leads = (say.to for say in lead_copies(case, policy) if say.to is not None)
    return frozenset(
        {case.request.requester, *(p for ask in case.asks for p in ask.asked), *named, *leads, *policy.auditors}
    )


def reminder(case: Case, ask: Ask, person: Person) -> Notification:
    """Somebody asked has not answered yet."""
    if ask.kind in OWN:
        return Notification("reminder", Lane.REMINDER, case.id, to=person)
    return Notification("ask_reminder", Lane.REMINDER, case.id, to=person, data={"version": ask.version})


def receipt(case: Case, door: str = "") -> Notification:
    """`door`: the channel button it was filed under, `CHANNEL:ts`, where the receipt is posted if no direct message arrives."""
    return Notification("receipt", lane(case), case.id, to=case.request.requester, data={"door": door})


def receipt_at_door(case: Case, door: str) -> Notification | None:
    """The same in the thread under the channel button, without target, reason or fields."""
    channel, colon, thread = door.partition(":")
    return Notification("door_receipt", lane(case), case.id, channel=channel, data={"thread": thread}) if colon else None


def pages(case: Case, reached: Reached, action: str = "trigger", *, slack_down: bool = False) -> tuple[Notification, ...]:
    """A page outside Slack; `action` as PagerDuty has it: trigger, acknowledge, resolve."""
    if not reached.paged:
        return ()
    down = {"slack_down": True} if slack_down else {}
    return (
        Notification(PAGER, Lane.URGENT, case.id, to=reached.person, data={"role": reached.role, "action": action, **down}),
    )


def paged(case: Case, ask: Ask, action: str) -> tuple[Notification, ...]:
    """Everybody of an ask who was paged: somebody is on it, or it is over."""
    return tuple(say for reached in ask.reached for say in pages(case, reached, action))


def warnings(case: Case, people: Iterable[Person]) -> tuple[Notification, ...]:
    """The deadline is near and nobody has decided."""
    return tuple(Notification("deadline", Lane.REMINDER, case.id, to=person) for person in people)


def taken(case: Case) -> tuple[Notification, ...]:
    """It is over: those asked in an emergency who have not answered need not look any more."""
    request = case.request
    if request.kind != "emergency_access" or request.state is RequestState.EXPIRED:
        return ()
    silent = (p for p in case.approval.asked if case.approval.vote_of(p) is None and p != request.closed_by)
    return tuple(Notification("taken", Lane.REMINDER, case.id, to=person) for person in silent)


def step(case: Case, ask: Ask, policy: Policy, event: Fired | Skipped) -> tuple[Notification, ...]:
    """Cards or reminders of a step that fired; of the request's own ask an alarm where a named person's account is gone."""
    if isinstance(event, Fired):
        if event.step.action == "remind":
            return tuple(reminder(case, ask, r.person) for r in event.people)
        return tuple(say for r in event.people for say in (card_of(case, ask, r), *pages(case, r)))
    if event.told:
        return tuple(card_of(case, ask, r) for r in event.told)
    domain = policy.domains.get(case.request.domain)
    if event.why != "deactivated" or domain is None or ask.kind not in OWN:
        return ()
    data = {"role": event.step.role, "why": event.why}
    alarm = Notification("alarm", lane(case), case.id, channel=domain.channel, data=data)
    if domain.risk_owner is None:
        return (alarm,)
    return (alarm, Notification("alarm", lane(case), case.id, to=domain.risk_owner, data=data))


def ask_card(case: Case, ask: Ask, reached: Reached, *, wanted: bool = False) -> Notification:
    """The card of an ask after the yes. `wanted`: its reader asked to see it, so it waits for no morning."""
    first = Lane.CARD if kept_by(ask) else lane(case)
    data = {"version": ask.version, **({"wanted": True} if wanted else {})}
    return Notification(f"ask.{ask.version}", first, case.id, to=reached.person, data=data)


def verified(case: Case) -> tuple[Notification, ...]:
    """Every method is attested: people who were asked and have not answered are notified that an approval is possible now."""
    silent = (p for p in case.approval.asked if case.approval.vote_of(p) is None)
    return tuple(Notification("verified", Lane.REMINDER, case.id, to=person) for person in silent)


def to_subject(case: Case, moment: str) -> tuple[Notification, ...]:
    """Notifies the person whose credential is reset, `before` or `after`, without the reason; they are never asked."""
    subject = case.request.subject
    return () if subject is None else (Notification(f"subject_{moment}", lane(case), case.id, to=subject),)


def to_suspended(case: Case, moment: str) -> tuple[Notification, ...]:
    """Notifies the person whose authority is `suspended` or `restored`."""
    subject = case.request.subject
    return () if subject is None else (Notification(moment, Lane.CARD, case.id, to=subject),)


def used(case: Case, owner: Person) -> Notification:
    """Notifies the owner of an autonomous right that it was used."""
    return Notification("used", lane(case), case.id, to=owner)


def digest(owner: Person, now: datetime, at: datetime) -> Notification:
    """… or once for all of a day: the first use asks for the message at `at`, the later ones find it waiting."""
    since = epoch_ms(now)
    return Notification("digest", Lane.CARD, to=owner, data={"since": since}, key=f"digest {owner}", at=at)


def to_requester(purpose: str, case: Case, **data: object) -> Notification:
    """`cooling`: it opens later. `ending`: it ends soon. `owed`: the evidence due. `extension`: the result of an extension. `reviewed`: the result of a review."""
    return Notification(purpose, lane(case), case.id, to=case.request.requester, data=data)


def expiring(case: Case, policy: Policy) -> tuple[Notification, ...]:
    """The date of an exception comes near, or is reached: to the requester and the owner."""
    domain = policy.domains.get(case.request.domain)
    people = [case.request.requester, *([domain.owner] if domain is not None else [])]
    return tuple(Notification("expiring", Lane.REMINDER, case.id, to=person) for person in dict.fromkeys(people))


def channel_line(case: Case, policy: Policy, state: str) -> tuple[Notification, ...]:
    """Posts id, title and a state to the domain's channel."""
    domain = policy.domains.get(case.request.domain)
    return (
        ()
        if domain is None
        else (Notification("announce", Lane.CARD, case.id, channel=domain.channel, data={"state": state}),)
    )


def lead_copies(case: Case, policy: Policy) -> tuple[Notification, ...]:
    """The provider's leads read their provider's requests."""
    provider = policy.providers.get(case.request.provider)
    refs = provider.leads if provider is not None else ()
    team = case.request.requester.team
    people = [Person(team if team in ref.teams else min(ref.teams), ref.user) for ref in refs]
    return tuple(Notification("lead", Lane.CARD, case.id, to=p) for p in people if p != case.request.requester)


def shared_copies(case: Case, policy: Policy) -> tuple[Notification, ...]:
    """A finding of the organisation's people that the owner shares: to the leads of the runbook's providers."""
    runbook = policy.runbooks.get(case.request.runbook)
    named = (policy.providers.get(id_) for id_ in (runbook.providers if runbook else ()))
    home = frozenset(policy.workspaces)
    leads = [ref for provider in named if provider for ref in provider.leads]
    people = dict.fromkeys(Person(min(ref.teams & home or ref.teams), ref.user) for ref in leads)
    return tuple(Notification("lead", Lane.CARD, case.id, to=person) for person in people)


def finding_moved(case: Case) -> tuple[Notification, ...]:
    """Notifies the filer of a finding that it was acknowledged or closed; nobody if a reconciliation opened it."""
    if case.request.requester == NOBODY:
        return ()
    data = {"state": str(case.request.state), "reason": ""}
    return (Notification("outcome", lane(case), case.id, to=case.request.requester, data=data),)


def outcome(case: Case, policy: Policy, reason: str = "") -> tuple[Notification, ...]:
    """Tells the requester in one message: outcome and reason, after a yes with the runbook's body and its buttons. The
    domain's channel gets id, title and state, in one line that is redrawn."""
    state = str(case.request.state if case.grant is None else case.grant.state)
    over = (*taken(case), *paged(case, case.approval, "resolve")) if case.grant is None or state == "open" else ()
    says = [*over] if not case.break_glass else []
    says += [
        Notification("outcome", lane(case), case.id, to=case.request.requester, data={"state": state, "reason": reason})
    ]
    if case.request.state in (RequestState.APPROVED, RequestState.OPENED) and state == "open":
        says += to_subject(case, "after")
    domain = policy.domains.get(case.request.domain)
    if domain is not None:
        shown = str(case.request.state) if state == "open" else state
        says.append(Notification("announce", Lane.CARD, case.id, channel=domain.channel, data={"state": shown}))
        if case.dated and case.grant is not None and state != "open":
            says.append(Notification("expiring", Lane.REMINDER, case.id, to=domain.owner))
    return tuple(says)


def overtaken(case: Case, to: Person, what: str, by: Person | None, at: datetime) -> Notification:
    """Something was given before a no of `at` could be entered, and has ended. `what` was said: `denied`, `withdrawn` or `ended`;
    `by` None: on the host."""
    data = {"what": what, "by": str(by or ""), "at": epoch_ms(at)}
    return Notification("overtaken", lane(case), case.id, to=to, data=data)


def announced(old: Policy, new: Policy, counts_from: datetime) -> tuple[Notification, ...]:
    """What a change of policy gives, to the old and new people of each domain and to its channel; a domain that a
    runbook leaves is notified as well. `counts_from`: what is filed before it needs the old set's approval too."""
    says: list[Notification] = []
    found = tuple(differences(old, new))
    for gain in gains(old, new):
        concerns = [d.text for d in found if not d.domains or gain.domain.id in d.domains]
        data = {
            "domain": gain.domain.name, "people": [str(p) for p in gain.people], "runbooks": [r.title for r in gain.easier],
            "rules": list(gain.rules), "sentences": list(dict.fromkeys(concerns)), "counts_from": round(counts_from.timestamp() * 1000),
        }  # fmt: skip
        says += [Notification("policy", Lane.CARD, channel=channel, data=data) for channel in gain.channels]
        says += [Notification("policy", Lane.CARD, to=person, data=data) for person in gain.hears]
    return tuple(says)


def answer(case_id: str | None, person: Person, reply: dict[str, object], sentence: str, **params: object) -> Notification:
    """One sentence to the person who acted, where they acted."""
    data = {"reply": reply, "sentence": sentence, **params}
    return Notification("answer", Lane.CARD, case_id, to=person, data=data)
