"""What people do, as values: what the inbox keeps and the worker carries out.

The edge (`handlers.inbound.payloads`) makes these from Slack's JSON; from here on nobody knows Slack. They survive a restart as
JSON, so a field is only ever added, with a default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Discriminator, PlainSerializer, Tag, TypeAdapter

from bot.domain.policy.people import Person
from bot.ports.host_commands import ActOnHost

CARDS = "cards"  # argument of the page `waiting`: send the cards themselves again, with their buttons
Page = Literal[
    "help", "queue", "mine", "show", "matrix", "whoami", "waiting", "log", "home",
    "exceptions", "review", "report", "month",
]  # fmt: skip


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
    noticed_at: str = ""  # of a finding (RFC 3339)
    by_host: bool = False  # the host's operator files it for `person`, while Slack is down
    kind: Literal["file"] = "file"


@dataclass(frozen=True, slots=True)
class Press:
    """A button about a case was pressed, or the form behind it was sent. `action` is a row of `bot.service.actions`, `version`
    the question's that they saw.

    `opens_form`: the button only opens a form; the person gets it if they may, a refusal if not, and nothing changes.
    """

    person: Person
    case: str
    version: int
    action: str
    reply: ReplyAddress
    text: str = ""
    name: str = ""  # which of the things owed, or which method of verification
    seconds: int = 0  # Approve for less, Extend: policy time; 0 for all that was asked
    at: str = ""  # when what is attested was done (RFC 3339)
    until: str = ""  # Approve for less, Renew: the last day, `2026-12-31`
    opens_form: bool = False

    @property
    def kind(self) -> Literal["decide", "beside", "reach"]:
        """Its name in the inbox and the logs."""
        if self.opens_form:
            return "reach"
        return "decide" if self.action in _DECISIONS else "beside"


@dataclass(frozen=True, slots=True)
class SetAbsence:
    """Somebody says that they are away: for `seconds` of policy time, until an instant (RFC 3339), or no longer."""

    person: Person
    reply: ReplyAddress
    seconds: int = 0
    until: str = ""
    kind: Literal["away"] = "away"


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
    """Somebody of the organisation wants the "Ask for approval" button in a channel."""

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
    """Somebody of the organisation records a use of the sealed path, under `id`; `used_at` in seconds since 1970 UTC."""

    id: str
    person: Person
    domain: str
    used_at: int
    used_by: Person | None
    what: str
    reference: str
    reply: ReplyAddress
    kind: Literal["seal"] = "seal"


@dataclass(frozen=True, slots=True)
class AnswerMatrix:
    """An answer on rows of the matrix: **Confirm all N** and **Acknowledge** on all that `seen` digests, **Dispute** on one `row`."""

    person: Person
    word: Literal["confirmed", "acknowledged", "disputed"]
    seen: str
    reply: ReplyAddress
    row: str = ""
    reason: str = ""
    kind: Literal["matrix"] = "matrix"


@dataclass(frozen=True, slots=True)
class SuspendProvider:
    """An owner or a risk owner suspends a provider, by id or name, in their own domains."""

    person: Person
    provider: str
    reason: str
    reply: ReplyAddress
    kind: Literal["suspend_provider"] = "suspend_provider"


@dataclass(frozen=True, slots=True)
class SignAnswer:
    """The page's signed answer to a question: a statement's bytes and the browser's assertion over them, each in base64url. `person`
    is whose link it is, `text` the reason of a no. Whether it counts is judged by `bot.domain.signing.decision`."""

    person: Person
    case: str
    version: int
    statement: str
    credential: str
    authenticator_data: str
    client_data: str
    signature: str
    text: str = ""
    kind: Literal["sign"] = "sign"


def lane_of(command: Command) -> str | None:
    """What one person's commands are carried out in order about: a request, filings, an absence. None: alone."""
    if isinstance(command, Press | SignAnswer):
        return command.case
    if isinstance(command, ConfirmOperatorAction | AnswerReview):
        return command.id
    if isinstance(command, ActOnHost):
        return command.kind if command.late else None
    return command.kind if isinstance(command, FileRequest | SetAbsence) else None


@dataclass(frozen=True, slots=True)
class ReviewAnswer:
    """What somebody chose for one item of a campaign, with the reason they wrote; `stays` and `left` are a lead's answers."""

    key: str
    answer: Literal["keep", "narrow", "withdraw", "stays", "left"]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AnswerReview:
    """The form of the campaign `id` was sent, or **Keep these N** was pressed (`easy`: then `answers` is empty)."""

    person: Person
    id: str
    answers: tuple[ReviewAnswer, ...]
    reply: ReplyAddress
    easy: bool = False
    kind: Literal["review"] = "review"


def read_day(text: str) -> date | None:
    """A day as a command carries it, `2026-12-31`; None where none was chosen, or the text is no day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _stored(press: Press) -> dict[str, object]:
    """The fields of a press as the inbox keeps them; each kind has its own (`_FIELDS`)."""
    return {stored: getattr(press, field_) for stored, field_ in _FIELDS[press.kind].items()}


def _read(stored: object) -> object:
    """The fields of `Press` from what the inbox keeps; a value that is a press already stays itself."""
    if not isinstance(stored, Mapping):
        return stored
    kind = str(stored.get("kind"))
    fields = {field_: stored[name] for name, field_ in _FIELDS[kind].items() if field_ != "kind" and name in stored}
    if kind == "reach":
        return {"action": "deny", "opens_form": True} | fields  # the first releases wrote no action: it was Deny
    return fields


def _tag(command: object) -> object:
    kind = command.get("kind") if isinstance(command, Mapping) else getattr(command, "kind", None)
    return "press" if isinstance(kind, str) and kind in _FIELDS else kind


# How the inbox keeps a press: its kinds, and the names and order of their fields. They never change: rows outlive a release.
_DECISIONS = frozenset({
    "approve", "deny", "withdraw", "finish", "unused", "revoke", "accept", "flag", "ratify", "reject", "restore", "keep",
    "withdraw_right", "lift", "close_exception",
})  # fmt: skip
_QUESTION = {"person": "person", "case": "case", "version": "version"}
_FIELDS: Mapping[str, Mapping[str, str]] = {
    "decide": _QUESTION
    | {"decision": "action", "reply": "reply", "reason": "text", "seconds": "seconds", "kind": "kind", "until": "until"},
    "beside": _QUESTION
    | {"deed": "action", "reply": "reply", "text": "text", "name": "name", "seconds": "seconds", "at": "at"}
    | {"kind": "kind", "until": "until"},
    "reach": _QUESTION | {"reply": "reply", "action": "action", "kind": "kind"},
}

Command: TypeAlias = (
    FileRequest
    | Press
    | SetAbsence
    | PostButton
    | ShowPage
    | SaySentence
    | ConfirmOperatorAction
    | RecordSealedUse
    | AnswerMatrix
    | SuspendProvider
    | AnswerReview
    | SignAnswer
    | ActOnHost
)
_Kept: TypeAlias = Annotated[
    Annotated[FileRequest, Tag("file")]
    | Annotated[Press, BeforeValidator(_read), PlainSerializer(_stored), Tag("press")]
    | Annotated[SetAbsence, Tag("away")]
    | Annotated[PostButton, Tag("post")]
    | Annotated[ShowPage, Tag("read")]
    | Annotated[SaySentence, Tag("tell")]
    | Annotated[ConfirmOperatorAction, Tag("operate")]
    | Annotated[RecordSealedUse, Tag("seal")]
    | Annotated[AnswerMatrix, Tag("matrix")]
    | Annotated[SuspendProvider, Tag("suspend_provider")]
    | Annotated[AnswerReview, Tag("review")]
    | Annotated[SignAnswer, Tag("sign")]
    | Annotated[ActOnHost, Tag("host")],
    Discriminator(_tag),
]
COMMAND: TypeAdapter[Command] = TypeAdapter(_Kept)
