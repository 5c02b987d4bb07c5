"""One engine for every ask: whether an answer counts, what its steps do, and what silence does.

The rules are the same for every kind; what differs is the kind's row in `kinds.KINDS`.
- An answer counts iff the person who gives it has authority (`authorization`), saw the ask's present version, uses an action that
  the kind takes, and comes while the ask is open and before its end, whether or not any timer ran.
- A vote replaces the same person's earlier one. One that gives something must be allowed by each earlier policy set that
  still binds, too (`policy_rollout`).
- An answer that does not count changes nothing, is answered with the reason, and leaves exactly one `decision.refused`.
- Steps fire according to `timing.escalation`. An ask at its end expires, and its steps that nobody saw stay unfired. Silence
  never approves, ratifies or restores.
Design, section 4; rules 1, 2, 3, 6, 7 and 9 of section 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.domain.authority.authorization import Allowed, Refused, may_decide
from bot.domain.authority.policy_rollout import allowed_by_all, met_by_all
from bot.domain.authority.quorum import count, standing_yes
from bot.domain.authority.signatures import demanded
from bot.domain.case.ask import DIES_WITH_GRANT, Ask, Vote
from bot.domain.case.click import Click, Refusal, Rejected
from bot.domain.case.lifecycle import move_ask
from bot.domain.case.model import Case
from bot.domain.case.transition import CLOCK, LogEvent, Transition, epoch_ms
from bot.domain.decision_log import events
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person, Profile
from bot.domain.timing import cooling_off
from bot.domain.timing.escalation import Advance, Presence, advance
from bot.domain.workflow import notifications, refusals
from bot.domain.workflow.asks.closing import valid_before
from bot.domain.workflow.asks.kinds import KINDS
from bot.domain.workflow.follow_up import Effects, asked_again
from bot.domain.workflow.shift_change import hand_over, to_new_owner
from bot.domain.workflow.wake import wake_at


def judge(
    case: Case, ask: Ask, policy: Policy, click: Click, profile: Profile, now: datetime, older: Sequence[Policy] = ()
) -> Allowed | Rejected:
    """Whether this answer to `ask` would count at `now`. `profile` is the account as Slack describes it, fresh."""
    chosen = KINDS[ask.kind].answers.get(click.action)
    takes_away = chosen is not None and chosen.vote == "no"
    allowed = may_decide(case, ask, policy, click.person, profile, takes_away=takes_away)
    if isinstance(allowed, Refused):
        return Rejected(allowed.why, "plain", {"text": allowed.reason})
    if click.version != ask.version:
        return refusals.closed(case, now) or refusals.STALE
    rules = KINDS[ask.kind]
    no = rules.closed(case, ask, now)
    if no is None and click.action not in rules.answers and click.action not in rules.forms:
        no = refusals.STALE
    no = no or _repeated(case, ask, policy, click, older) or rules.hindered(case, ask, policy, click, now)
    return no or _unsigned(case, ask, policy, click, older) or allowed


def answer(
    case: Case, ask: Ask, policy: Policy, click: Click, profile: Profile, now: datetime, older: Sequence[Policy] = ()
) -> Transition:
    """Somebody's answer, carried out or refused. `older`: the earlier policy sets that still bind."""
    judged = judge(case, ask, policy, click, profile, now, older)
    rules = KINDS[ask.kind]
    if isinstance(judged, Rejected):
        return refusals.refuse(case, policy, click, judged)
    chosen = rules.answers.get(click.action)
    if chosen is None:  # a button that only opens a form
        return refusals.refuse(case, policy, click, refusals.STALE)
    if chosen.gives and not allowed_by_all(older, case, ask, click.person, profile):
        return refusals.refuse(case, policy, click, Rejected(Refusal.UNAUTHORISED, "too_new", {}))
    given = rules.given(case, ask, click) if chosen.vote == "yes" else 0
    credential = click.proof.credential if click.proof is not None else ""
    vote = Vote(click.person, chosen.vote, judged.roles[0], now, given, judged.on_behalf_of, credential)
    voted = replace(ask, votes=(*(v for v in ask.votes if v.person != click.person), vote))
    done = chosen.carry_out(case, voted, policy, vote, click, older)
    if isinstance(done, Rejected):
        return refusals.refuse(case, policy, click, done)
    wake = wake_at(done.case, policy, now)
    drafts = done.drafts if click.proof is None else events.signed(done.drafts, click.person, click.proof)
    return Transition(case, done.case, drafts, done.says, wake, valid_before(case, ask), refresh=True)


def step(case: Case, ask: Ask, policy: Policy, presence: Presence, now: datetime, *, pulling: bool = False) -> Effects:
    """What is due on an open ask at `now`, short of its end.

    `pulling`: its last step reached nobody, so the next one that reaches somebody new fires at once.
    """
    return stepped(case, policy, advance(case, ask, policy, presence, now, pulling=pulling), presence, now)


def stepped(case: Case, policy: Policy, result: Advance, presence: Presence, now: datetime) -> Effects:
    """The case after the steps of `result`, with their entries and messages; the very same case where nothing was due."""
    rules, stored = KINDS[result.ask.kind], case.question(result.ask.version)
    ask, new_owner = to_new_owner(case, result.ask, policy, presence, now)
    ask, next_one = hand_over(case, ask, policy, presence, now) if rules.follows_shifts else (ask, None)
    after = case if ask is stored else case.with_ask(ask)
    drafts = [events.step(after, policy, event, ask.kind) for event in result.events]
    if any(event.step.index == 0 for event in result.events):
        drafts += _begins(after, ask, policy)
    says = tuple(say for event in result.events for say in notifications.step(after, ask, policy, event))
    effects = Effects(after, tuple(drafts), says)
    if stored is not None and stored.warn_at is not None and ask.warn_at is None:
        warned = rules.warned(after, ask, policy, now) if rules.warned else _warned(after, ask, policy, result.warned)
        effects = effects.then(warned)
    for reached in (one for one in (new_owner, next_one) if one is not None):
        told = (notifications.card_of(after, ask, reached), *notifications.pages(after, reached))
        effects = effects.then(Effects(effects.case, (events.handed_over(after, policy, reached),), told))
    return rules.after_steps(effects, policy, now)


def expire(case: Case, ask: Ask, policy: Policy, now: datetime, delivered: int) -> Effects:
    """The end of an open ask that nobody answered. `delivered`: how many of its cards Slack accepted."""
    rules = KINDS[ask.kind]
    if rules.expired is not None:
        return rules.expired(case, ask, policy, now, delivered)
    after = case.with_ask(replace(ask, state=move_ask(ask.state, "expire"), warn_at=None))
    effects = Effects(after)
    if rules.overdue and ask.warn_at is not None:  # its end comes before anybody looked: it was overdue all the same
        drafts = _begins(after, ask, policy) if ask.steps[0].state == "waiting" else []
        effects = Effects(after, tuple(drafts)).then(_warned(after, ask, policy, ()))
    if ask.kind in DIES_WITH_GRANT:
        effects = effects.then(Effects(after, (events.due(after, policy, f"{ask.kind}.expired", CLOCK, None),)))
    return replace(effects, case=asked_again(after, ask, now)) if rules.asked_again else effects


def _repeated(case: Case, ask: Ask, policy: Policy, click: Click, older: Sequence[Policy]) -> Rejected | None:
    """A second yes of the same person adds nothing to the first, except if the quorum has been met meanwhile: a yes of
    somebody who was suspended counts again once they are restored, and the next press opens what waits for it. Whose key was
    removed since says yes anew, with another key."""
    earlier = standing_yes(case, ask, policy, click.person)
    if earlier is None or click.action != "approve":
        return None
    tally = count(case, ask, policy)
    if tally.met and met_by_all(older, case, ask) and not cooling_off.waits(case):
        return None
    return Rejected(Refusal.LOST, "repeat_yes", {"at": epoch_ms(earlier.at), "have": tally.have, "need": tally.need})


def _unsigned(case: Case, ask: Ask, policy: Policy, click: Click, older: Sequence[Policy]) -> Rejected | None:
    """A yes that must be signed counts from the page alone, never from Slack; its author gets the link."""
    chosen = KINDS[ask.kind].answers.get(click.action)
    says_yes = click.action == "less" if chosen is None else chosen.vote == "yes"
    if not says_yes or click.proof is not None or demanded(case, ask.kind, policy, older) == "none":
        return None
    return Rejected(Refusal.STALE, "sign_on_page", {"version": ask.version})


def _begins(case: Case, ask: Ask, policy: Policy) -> list[LogEvent]:
    begins = KINDS[ask.kind].begins
    return [events.due(case, policy, begins, CLOCK, ask.due_at)] if begins else []


def _warned(case: Case, ask: Ask, policy: Policy, silent: Sequence[Person]) -> Effects:
    """`warn_at` has passed: the ask is overdue, or people who have not answered are warned that its end is near."""
    overdue = KINDS[ask.kind].overdue
    if not overdue:
        return Effects(case, (), notifications.warnings(case, silent))
    draft = events.due(case, policy, overdue, CLOCK, ask.due_at)
    return Effects(case, (draft,), notifications.channel_line(case, policy, overdue))
