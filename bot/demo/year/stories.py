"""What happens to a request in the year: its entries, one after the other, as the bot writes them.

A story is a list of (seconds since the filing, entry). Nobody decides who may not: `log verify` and the re-judgement of every
decision find nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.demo.year.draws import Draws
from bot.domain.case.click import Refusal
from bot.domain.case.transition import CLOCK, SYSTEM, Actor, FileDigest, LogEvent, Private, Value
from bot.domain.decision_log.entry import stamp
from bot.domain.policy.model import Domain, Policy, Runbook
from bot.domain.policy.people import Person

EXPIRES, STEP = 45 * 60, 300  # seconds: the ladder's end and its second step
_REASONS = (
    "Outage at the desk",
    "Person locked out",
    "Sync has stopped",
    "Change agreed with the owner",
    "Alert to look at",
)


@dataclass(slots=True)
class Story:
    """One case under way."""

    id: str
    at: datetime
    policy: Policy
    runbook: Runbook
    requester: Person
    provider: str
    draws: Draws
    told: list[tuple[int, LogEvent]] = field(default_factory=list)

    @property
    def domain(self) -> Domain:
        return self.policy.domains[self.runbook.domain]

    def add(
        self, after: int, type_: str, who: Actor, data: Mapping[str, Value] | None = None,
        private: tuple[Private, ...] = (),
    ) -> None:  # fmt: skip
        """One more entry, `after` seconds since the filing."""
        named = type_ not in ("delivery.sent", "delivery.failed")
        runbook = FileDigest(self.runbook.id, self.runbook.sha256) if named else None
        policy = FileDigest(self.policy.organisation, self.policy.digest) if named else None
        self.told.append((after, LogEvent(type_, who, self.id, data or {}, None, runbook, policy, private)))

    def stamp(self, after: int) -> str:
        return stamp(self.at + timedelta(seconds=after))

    @property
    def asker(self) -> Actor:
        return Actor("person", self.requester, self.provider)


def told(story: Story) -> list[tuple[int, LogEvent]]:
    """The whole story of a request under its runbook."""
    runbook = story.runbook
    if runbook.kind == "finding":
        _finding(story)
    elif runbook.break_glass is not None:
        _break_glass(story)
    elif runbook.right == "autonomous":
        _autonomous(story)
    else:
        _asked(story)
    return story.told


def _filed(story: Story, seconds: int) -> None:
    data: dict[str, Value] = {
        "kind": story.runbook.kind, "seconds": seconds, "expires_at": story.stamp(EXPIRES), "provider": story.provider,
        "domain": story.domain.id,
    }  # fmt: skip
    story.add(0, "request.filed", story.asker, data, _texts(story))


def _texts(story: Story) -> tuple[Private, ...]:
    target = f"{story.domain.id}-{story.draws.below(400):03}"
    return (
        Private("target", target, story.requester),
        Private("reason", story.draws.one(_REASONS), story.requester),
    )


def _step(story: Story, after: int, step: int, role: str, person: Person) -> None:
    story.add(after, "step.fired", CLOCK, {"step": step, "role": role, "action": "notify", "to": (person,)})
    _sent(story, after + 1, "card", person)


def _sent(story: Story, after: int, purpose: str, person: Person) -> None:
    story.add(after, "delivery.sent", SYSTEM, {"purpose": purpose, "to": person})


def _posted(story: Story, after: int, purpose: str) -> None:
    story.add(after, "delivery.sent", SYSTEM, {"purpose": purpose, "channel": story.domain.channel})


def _asked(story: Story) -> None:
    """Asked of the owner, then of the deputy: approved, denied, withdrawn, or expired without an answer."""
    draws, domain = story.draws, story.domain
    dated = story.runbook.kind == "policy_exception"
    seconds = 86_400 * (5 + draws.below(40)) if dated else 900 * (1 + draws.below(4))
    _filed(story, seconds)
    _sent(story, 1, "receipt", story.requester)
    _step(story, 1, 0, "owner", domain.owner)
    _posted(story, 2, "channel")
    _sent(story, 3, "card_copy", domain.deputies[0])
    late = draws.chance(30)
    if late:
        _step(story, STEP, 1, "deputies", domain.deputies[0])
    who, role = (domain.deputies[0], "deputies") if late else (domain.owner, "owner")
    answered = (STEP + 4 if late else 4) + draws.below(280)
    if draws.chance(4):
        story.add(answered - 1, "decision.refused", story.asker, {"action": "approve", "why": Refusal.PARTY.value})
    fate = draws.below(100)
    if fate < 78:
        _approved(story, answered, Actor("person", who), role, seconds)
    elif fate < 88:
        note = (Private("answer", "Ask again with the ticket.", who),)
        story.add(answered, "request.denied", Actor("person", who), {"role": role}, note)
        _sent(story, answered + 1, "outcome", story.requester)
    elif fate < 92:
        story.add(answered, "request.withdrawn", story.asker)
    else:
        if not late:
            _step(story, STEP, 1, "deputies", domain.deputies[0])
        assert domain.risk_owner is not None
        _step(story, 900, 2, "risk_owner", domain.risk_owner)
        asked = (domain.owner, domain.deputies[0], domain.risk_owner)
        story.add(EXPIRES, "request.expired", CLOCK, {"asked": asked, "delivered": 3})
        _sent(story, EXPIRES + 1, "outcome", story.requester)
        _sent(story, EXPIRES + 1, "expired", domain.owner)


def _approved(story: Story, at: int, who: Actor, role: str, seconds: int) -> None:
    until = story.stamp(at + seconds)
    count: dict[str, Value] = {"have": 1, "need": 1, "seconds": seconds, "role": role, "not_after": until}
    story.add(at, "request.approved", who, count)
    story.add(at, "grant.opened", who, {"seconds": seconds, "not_after": until})
    dated = story.runbook.kind == "policy_exception"
    if dated:
        story.add(at, "exception.opened", who, {"until": until})
    _sent(story, at + 1, "outcome", story.requester)
    _posted(story, at + 2, "channel")
    _ended(story, at, until, seconds, dated=dated)
    _sent(story, at + seconds + 1, "ended", story.domain.owner)
    _posted(story, at + seconds + 2, "channel")
    if not dated:
        _reviewed(story, at + seconds)


def _ended(story: Story, at: int, until: str, seconds: int, *, dated: bool = False) -> None:
    lapses = dated or story.draws.chance(30)
    data: dict[str, Value] = {"seconds": seconds, "not_after": until, "closed_by": "clock" if lapses else "attested"}
    if dated:
        story.add(at + seconds, "exception.ended", CLOCK, data | {"until": until, "how": "lapsed"})
    elif lapses:
        story.add(at + seconds, "grant.lapsed", CLOCK, data)
    else:
        story.add(at + seconds * 2 // 3, "grant.finished", story.asker, data)


def _reviewed(story: Story, ended: int) -> None:
    draws, owner = story.draws, story.domain.owner
    for name in story.runbook.evidence:
        if draws.chance(93):
            story.add(ended + 60, "evidence.added", story.asker, {"name": name})
        else:
            story.add(ended + 86_400, "evidence.missing", CLOCK, {"name": name})
    if story.runbook.review_within is None:
        return
    story.add(ended + 1, "review.due", CLOCK, {"due": story.stamp(ended + 86_400)})
    _sent(story, ended + 3, "review", owner)
    answered = ended + 3600
    if draws.chance(5):
        story.add(ended + 86_400, "review.overdue", CLOCK, {})
        answered = ended + 90_000
    story.add(
        answered, "review.passed" if draws.chance(95) else "review.flagged", Actor("person", owner), {"role": "owner"}
    )


def _autonomous(story: Story) -> None:
    seconds = 900
    until = story.stamp(seconds)
    _filed(story, seconds)
    story.add(0, "grant.opened", story.asker, {"seconds": seconds, "not_after": until})
    _posted(story, 1, "channel")
    _sent(story, 2, "told", story.domain.owner)
    _ended(story, 0, until, seconds)


def _break_glass(story: Story) -> None:
    seconds, owner = 3600, story.domain.owner
    until = story.stamp(seconds)
    _filed(story, seconds)
    story.add(0, "breakglass.opened", story.asker, {"due": story.stamp(4 * 3600)})
    story.add(0, "grant.opened", story.asker, {"seconds": seconds, "not_after": until})
    _sent(story, 1, "receipt", story.requester)
    _step(story, 1, 0, "owner", owner)
    _posted(story, 2, "channel")
    if story.draws.chance(90):
        story.add(2_000, "breakglass.ratified", Actor("person", owner), {"role": "owner"})
    else:
        story.add(4 * 3600, "breakglass.unratified", CLOCK, {})
    _ended(story, 0, until, seconds)
    _sent(story, seconds + 2, "ended", owner)


def _finding(story: Story) -> None:
    owner = Actor("person", story.domain.owner)
    late = story.draws.chance(8)
    data: dict[str, Value] = {
        "domain": story.domain.id, "provider": story.provider, "noticed_at": story.stamp(-7200 if late else -600),
        "late": late, "ladder_ends_at": story.stamp(EXPIRES), "due_within": 3600,
    }  # fmt: skip
    story.add(0, "finding.filed", story.asker, data, _texts(story))
    _step(story, 1, 0, "owner", story.domain.owner)
    story.add(120, "finding.acknowledged", owner, {"role": "owner"})
    story.add(7_200, "finding.closed", owner, {})
