"""What people do, as values: what the inbox keeps and the worker carries out.

The edge (`handlers.payloads`) makes these from Slack's JSON; from here on nobody knows Slack. They survive a restart as
JSON, so a field is only ever added, with a default.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

from pydantic import Discriminator, TypeAdapter

from bot.domain.people import Person

Decision = Literal["approve", "deny", "withdraw"]
Page = Literal["help", "queue", "mine", "show", "matrix", "whoami", "waiting"]


@dataclass(frozen=True, slots=True)
class Reply:
    """Where an answer goes: the page's address Slack gave, else an ephemeral in `channel`, else a direct message."""

    person: Person
    response_url: str = ""
    channel: str = ""


@dataclass(frozen=True, slots=True)
class File:
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
    kind: Literal["file"] = "file"


@dataclass(frozen=True, slots=True)
class Decide:
    """A button of a card or receipt was pressed, or its form sent. `version` is the question's that they saw."""

    person: Person
    case: str
    version: int
    decision: Decision
    reply: Reply
    reason: str = ""
    kind: Literal["decide"] = "decide"


@dataclass(frozen=True, slots=True)
class Reach:
    """Somebody pressed Deny: they get its form if they may, a refusal if not. Changes nothing by itself."""

    person: Person
    case: str
    version: int
    reply: Reply
    kind: Literal["reach"] = "reach"


@dataclass(frozen=True, slots=True)
class Read:
    """Somebody asked for a page of text."""

    person: Person
    page: Page
    argument: str
    reply: Reply
    kind: Literal["read"] = "read"


@dataclass(frozen=True, slots=True)
class Tell:
    """A sentence is owed to somebody: `sentence` names it in `handlers.wording`."""

    person: Person
    sentence: str
    argument: str
    reply: Reply
    kind: Literal["tell"] = "tell"


Act: TypeAlias = Annotated[File | Decide | Reach | Read | Tell, Discriminator("kind")]
ACT: TypeAdapter[File | Decide | Reach | Read | Tell] = TypeAdapter(Act)
