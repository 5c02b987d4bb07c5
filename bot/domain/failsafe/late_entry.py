"""How the log takes up what was taken away without it, on the case as it is then.

Where nothing else has happened to the case the act is entered as it was judged. Else the leader has judged without this line, and
only what it takes away is kept (`revocation.imposed`): a person's no is never dropped, also where the request was approved
meanwhile. Then the grant ends as a revocation by that person, what follows an end follows, and the requester and those who
approved are told why. Every end says in `taken_at` when it was really done: its own time is that of the entering.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from bot.domain.case.ask import Ask
from bot.domain.case.lifecycle import AskState, GrantState
from bot.domain.case.model import Case
from bot.domain.case.transition import LogEvent, Notification, Transition
from bot.domain.decision_log import grant_events
from bot.domain.decision_log.entry import stamp
from bot.domain.decision_log.verify.case_order import ENDS
from bot.domain.failsafe.revocation import Revocation, apply_to, begins, goes_on, imposed, overtaken
from bot.domain.workflow import follow_up, notifications
from bot.domain.workflow.follow_up import DAY, Effects
from bot.domain.workflow.wake import after_decision


def entered(line: Revocation, stored: Case | None, now: datetime) -> Transition | None:
    """The act as the log takes it up at `now`; None if it takes nothing away any more, or its case does not exist."""
    late = replace(line.act, entries=_late(line, line.act.entries))
    if line.act.after is None:
        return late
    if begins(line.act):
        return late if stored is None else None
    if stored is None:
        return None
    if stored.request.version != line.version:
        return _on_moved(line, stored, line.act.after, now)
    act = replace(late, before=stored, after=apply_to(stored, line), refresh=True)
    return act if goes_on(act) else None


def _on_moved(line: Revocation, stored: Case, after: Case, now: datetime) -> Transition | None:
    grant = stored.grant
    if overtaken(stored, after) and grant is not None and now >= grant.not_after:
        return None  # its time is over: it lapses
    left = imposed(stored, after, line.at)
    if left == stored:
        return None
    if overtaken(stored, after) and left.grant is not None:
        left = replace(left, grant=replace(left.grant, ended_at=now))
    effects = Effects(left, _late(line, _answers(line, stored, left)))
    if grant is not None and left.grant is not None and left.grant.state is not grant.state:
        effects = effects.then(_end(line, left, now))
    effects = effects.then(_flagged(line, effects.case, now))
    says = _told(line, stored, left)
    wake_at = after_decision(effects.case)
    return replace(
        line.act, before=stored, after=effects.case, entries=effects.drafts, says=says, wake_at=wake_at, refresh=True
    )


def _late(line: Revocation, drafts: Iterable[LogEvent]) -> tuple[LogEvent, ...]:
    return tuple(replace(draft, data={**draft.data, "taken_at": stamp(line.at)}) for draft in drafts)


def _answers(line: Revocation, stored: Case, left: Case) -> Iterator[LogEvent]:
    """The entries of the line about what it still answers: the request, or the ratification."""
    closes = stored.request.state is not left.request.state
    rejects = stored.asks[0].state is not left.asks[0].state and stored.break_glass
    for draft in line.act.entries:
        if (closes and draft.type.startswith("request.")) or (rejects and draft.type == "breakglass.rejected"):
            yield draft


def _end(line: Revocation, left: Case, now: datetime) -> Effects:
    """The entry of the end, and what an end sets going."""
    grant, was = left.grant, next((d for d in line.act.entries if d.type in ENDS), None)
    first = was or line.act.entries[0]
    assert grant is not None
    closed_by = "clock" if grant.state is GrantState.LAPSED else "attested"
    type_, data = grant_events.end_of(left, grant, closed_by)
    private = tuple(replace(one, name="reason") for one in first.private if one.name in ("answer", "reason"))
    draft = replace(first, type=type_, data=data, private=private, on_behalf_of=None)
    return Effects(left, _late(line, (draft,))).then(follow_up.ended(left, first.policy, now))


def _flagged(line: Revocation, case: Case, now: datetime) -> Effects:
    """A rejected break-glass is noted in its review, as `asks.ratification` does."""
    flags = tuple(draft for draft in line.act.entries if draft.type == "review.flagged")
    gone = line.act.after
    if not flags or gone is None:
        return Effects(case)
    known = {note for ask in case.asks for note in ask.notes}
    notes = tuple(note for ask in gone.asks for note in ask.noted("review") if note not in known)
    effects = Effects(case)
    if _review(case) is None:
        window = case.request.terms.real(case.request.terms.review_within or DAY)
        effects = follow_up.opened(case, flags[0].policy, "review", window, now)
    review = _review(effects.case)
    assert review is not None
    after = effects.case.with_ask(replace(review, notes=(*review.notes, *notes)))
    return effects.then(Effects(after, _late(line, flags)))


def _review(case: Case) -> Ask | None:
    return next((a for a in reversed(case.later) if a.kind == "review" and a.state is AskState.OPEN), None)


def _told(line: Revocation, stored: Case, left: Case) -> tuple[Notification, ...]:
    """The messages of the line; where something was given since, why it has ended all the same."""
    after, grant = line.act.after, left.grant
    if after is None or grant is None or grant.state is GrantState.OPEN:
        return line.act.says
    if overtaken(stored, after):
        outcome = notifications.to_requester("outcome", left, state=str(grant.state), reason="")
        return (*_why(line, left, str(after.request.state)), outcome)
    given = after.grant is not None and stored.grant is not None and stored.grant.not_after > after.grant.not_after
    return (*line.act.says, *(_why(line, left, "ended") if given else ()))


def _why(line: Revocation, left: Case, what: str) -> tuple[Notification, ...]:
    by = left.grant.ended_by if left.grant is not None else None
    yes = (v.person for ask in left.asks for v in ask.votes if v.answer == "yes")
    people = dict.fromkeys([left.request.requester, *(person for person in yes if person != by)])
    return tuple(notifications.overtaken(left, to, what, by, line.at) for to in people)
