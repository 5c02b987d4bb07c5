"""What people do, as values: what the inbox keeps and the worker carries out.

The edge (`handlers.inbound.payloads`) makes these from Slack's JSON; from here on nobody knows Slack. They survive a restart as
JSON, so a field is only ever added, with a default.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

from pydantic import Discriminator, TypeAdapter

from bot.domain.policy.people import Person

Decision = Literal[
    "approve",
    "deny",
    "withdraw",
    "finish",
    "unused",
    "revoke",
    "accept",
    "flag",
    "ratify",
    "reject",
    "restore",
    "keep",
    "withdraw_right",
]
Deed = Literal[
    "question",
    "answer",
    "hold",
    "pass",
    "push",
    "for",
    "against",
    "here",
    "extend",
    "renew",
    "evidence",
    "attest",
    "verify",
]
CARDS = "cards"  # argument of the page `waiting`: send the cards themselves again, with their buttons
Page = Literal["help", "queue", "mine", "show", "matrix", "whoami", "waiting", "log", "home", "exceptions", "review"]


@dataclass(frozen=True, slots=True)
class ReplyAddress:
    """Where an answer goes: the page's address Slack gave, else an ephemeral in `channel`, else a direct message."""

    person: Person
    response_url: str = ""
    channel: str = ""


@dataclass(frozen=True, slots=True)
class FileRequest:
    """A form was sent: a request under `id`, already promised to the person. `form` is the view that shows it."""

    id: str
    person: Person
    runbook: str
    target: str
    reason: str
    seconds: int
    fields: dict[str, str] = field(default_factory=dict)
    subject: Person | None = None
    form: str = ""
    door: str = ""  # `CHANNEL:ts` of the channel button that opened the form
    until: str = ""  # the last day of what ends on a date: `2026-12-31`
    kind: Literal["file"] = "file"


@dataclass(frozen=True, slots=True)
class Decide:
    """A button of a card or receipt was pressed, or its form sent. `version` is the question's that they saw."""

    person: Person
    case: str
    version: int
    decision: Decision
    reply: ReplyAddress
    reason: str = ""
    seconds: int = 0  # Approve for less: policy time; 0 for all that was asked
    kind: Literal["decide"] = "decide"
    until: str = ""  # the same of what ends on a date: an earlier last day


@dataclass(frozen=True, slots=True)
class Beside:
    """Something done beside deciding: see `bot.domain.workflow.discussion`, `owing` and `later`. `for` and `against` are a lead's advice."""

    person: Person
    case: str
    version: int
    deed: Deed
    reply: ReplyAddress
    text: str = ""
    name: str = ""  # which of the things owed
    seconds: int = 0  # Extend: policy time
    at: str = ""  # when what is attested was done (RFC 3339)
    kind: Literal["beside"] = "beside"
    until: str = ""  # Renew: the last day


@dataclass(frozen=True, slots=True)
class SetAbsence:
    """Somebody says that they are away: for `seconds` of policy time, until an instant (RFC 3339), or no longer."""

    person: Person
    reply: ReplyAddress
    seconds: int = 0
    until: str = ""
    kind: Literal["away"] = "away"


@dataclass(frozen=True, slots=True)
class Reach:
    """Somebody pressed a button that opens a form (Deny, …): they get it if they may, a refusal if not.

    Changes nothing by itself.
    """

    person: Person
    case: str
    version: int
    reply: ReplyAddress
    action: str = "deny"
    kind: Literal["reach"] = "reach"


@dataclass(frozen=True, slots=True)
class ShowPage:
    """Somebody asked for a page of text."""

    person: Person
    page: Page
    argument: str
    reply: ReplyAddress
    kind: Literal["read"] = "read"


@dataclass(frozen=True, slots=True)
class SaySentence:
    """A sentence is owed to somebody: `sentence` names it in `handlers.wording`."""

    person: Person
    sentence: str
    argument: str
    reply: ReplyAddress
    kind: Literal["tell"] = "tell"


@dataclass(frozen=True, slots=True)
class PostButton:
    """Somebody of home wants the "Ask for approval" button in a channel."""

    person: Person
    channel: str
    reply: ReplyAddress
    kind: Literal["post"] = "post"


@dataclass(frozen=True, slots=True)
class ConfirmOperatorAction:
    """Confirm or Refuse of an operator's act, `id`, was pressed (`bot.domain.operator.dual_control`)."""

    person: Person
    id: str
    answer: Literal["confirm", "refuse"]
    reply: ReplyAddress
    kind: Literal["operate"] = "operate"


@dataclass(frozen=True, slots=True)
class RecordSealedUse:
    """Somebody of home records a use of the sealed path, under `id`; `used_at` in seconds since 1970 UTC."""

    id: str
    person: Person
    domain: str
    used_at: int
    used_by: Person | None
    what: str
    reference: str
    reply: ReplyAddress
    kind: Literal["seal"] = "seal"


Command: TypeAlias = Annotated[
    FileRequest
    | Decide
    | Reach
    | Beside
    | SetAbsence
    | PostButton
    | ShowPage
    | SaySentence
    | ConfirmOperatorAction
    | RecordSealedUse,
    Discriminator("kind"),
]
COMMAND: TypeAdapter[
    FileRequest
    | Decide
    | Reach
    | Beside
    | SetAbsence
    | PostButton
    | ShowPage
    | SaySentence
    | ConfirmOperatorAction
    | RecordSealedUse
] = TypeAdapter(Command)
