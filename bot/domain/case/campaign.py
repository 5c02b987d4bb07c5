"""A campaign: what one person reviews of the rights without prior consent, as values.

One rule: an item is answered once, and a campaign that is closed takes only a *Keep* of what a silence narrowed. The rules are
`bot.domain.governance.campaigns`. Source: governance-contract.md, section 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from bot.domain.policy.governance import ItemKind
from bot.domain.policy.people import Person

PREFIX = "V-"
Answer = Literal["", "keep", "narrow", "withdraw", "silence"]
ReviewRole = Literal["owner", "deputies", "risk_owner", "lead"]


@dataclass(frozen=True, slots=True)
class Figures:
    """How a right was used since `since`. `out_of_hours` is None where the domain has no working hours; `first_press` is the
    median of the seconds from "accepted by Slack" to the first press, None where nobody had to press."""

    since: datetime | None = None
    uses: int = 0
    last_use: datetime | None = None
    by: tuple[Person, ...] = ()
    out_of_hours: int | None = None
    missing: int = 0
    first_press: int | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One right under review. `of` is a runbook's id, a request's id, or `TEAM/USER`; `row` the digest of its content.

    `flags`: why it needs a reason to be kept. `easy`: unchanged, unflagged and answered singly within a year. `alone`: who
    alone approved or ratified it and so cannot keep it. `attested`: when the provider's lead attested the person.
    """

    kind: ItemKind
    of: str
    domains: tuple[str, ...]
    title: str
    provider: str = ""
    row: str = ""
    sha256: str = ""
    figures: Figures = Figures()
    flags: tuple[str, ...] = ()
    easy: bool = False
    alone: Person | None = None
    answer: Answer = ""
    by: Person | None = None
    at: datetime | None = None
    attested: datetime | None = None

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.of}"


@dataclass(frozen=True, slots=True)
class Asked:
    """A person who got the campaign's message, and in which role."""

    person: Person
    role: ReviewRole
    at: datetime


@dataclass(frozen=True, slots=True)
class Campaign:
    """What `owner` reviews. `window` is in working days; `counted` are the whole days that have counted so far, `day` is the
    number of the day that is being counted (0: none) and `day_counts` whether it still may.

    `previewed_at`: everybody concerned was notified that the silence of `owner` narrows, a day before it does.
    """

    id: str
    owner: Person
    items: tuple[Item, ...]
    opened_at: datetime
    window: int
    narrows: bool
    asked: tuple[Asked, ...] = ()
    state: Literal["open", "closed"] = "open"
    version: int = 0
    counted: int = 0
    day: int = 0
    day_counts: bool = False
    reminded: bool = False
    previewed_at: datetime | None = None
    closed_at: datetime | None = None

    @property
    def unanswered(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.answer == "")

    @property
    def domains(self) -> tuple[str, ...]:
        """Every domain of an item, each once."""
        return tuple(dict.fromkeys(domain for item in self.items for domain in item.domains))

    def item(self, key: str) -> Item | None:
        return next((item for item in self.items if item.key == key), None)

    def role_of(self, person: Person) -> ReviewRole | None:
        """The strongest role in which the message was sent to this account; None: it was not."""
        roles = [asked.role for asked in self.asked if asked.person == person]
        order: tuple[ReviewRole, ...] = ("owner", "deputies", "risk_owner", "lead")
        return next((role for role in order if role in roles), None)


Effect = Literal["due", "seen", "kept", "narrowed", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Consent:
    """The last answer on one right in one domain. `seen`: known since `at`, never reviewed; `due`: its review is due at `at`.

    `own`: somebody answered so; else it was a silence. `singly_at`: when it was last answered by itself.
    """

    kind: ItemKind
    of: str
    domain: str
    row: str
    sha256: str
    effect: Effect
    own: bool
    at: datetime
    by: Person | None = None
    singly_at: datetime | None = None
    campaign: str = ""


@dataclass(frozen=True, slots=True)
class CampaignChange:
    """How a transition changes a campaign. `before` None opens `after`; else it counts on that version only.

    `consents`: what is known of the rights from then on. `widens`: a narrowing is lifted.
    """

    before: Campaign | None
    after: Campaign
    consents: tuple[Consent, ...] = ()
    widens: bool = False


@dataclass(frozen=True, slots=True)
class Use:
    """One opening of access: by whom, when, under which runbook, and how many pieces of evidence are missing."""

    case: str
    runbook: str
    domain: str
    provider: str
    requester: Person
    at: datetime
    missing: int = 0
    sent_at: datetime | None = None  # when Slack first accepted a message that asked somebody
    pressed_at: datetime | None = None  # the first answer
    ratified_by: tuple[Person, ...] = field(default=())


def is_campaign(about: str | None) -> bool:
    """Whether a message is about a campaign rather than a request."""
    return about is not None and about.startswith(PREFIX)


WORDS: Mapping[Answer, str] = {
    "": "not answered",
    "keep": "kept",
    "narrow": "narrowed",
    "withdraw": "withdrawn",
    "silence": "narrowed by silence",
}
