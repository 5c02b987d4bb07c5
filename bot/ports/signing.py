"""Links to the page where decisions are signed, the statements that it issues, and their results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.policy.people import Person
from bot.domain.signing.decision import Issued


@dataclass(frozen=True, slots=True)
class Link:
    """Whom a link belongs to, and to which version of a question it leads."""

    person: Person
    case: str
    version: int


@dataclass(frozen=True, slots=True)
class Ends:
    """Where a question begins and how far its case has come in the log: leaf hashes in hex. `signer` is the reader's pseudonym,
    "" for somebody whom the log has never named; `log` the log's origin."""

    asked: str
    seen: str
    signer: str
    log: str


@dataclass(frozen=True, slots=True)
class Session:
    """A session of the page: the statement that is to be signed for it, or whose it is and by which passkey."""

    until: datetime
    statement: bytes = b""
    person: Person | None = None
    credential: str = ""


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """A yes that counted although Slack could not confirm the account."""

    case: str
    version: int
    person: Person


class SigningRecords(Protocol):
    """A statement is used once, by the commit that carries its answer out (`Transition.signed`)."""

    async def link(self, link: Link, token: str) -> str:
        """The token of a link; `token` where there was none yet."""

    async def linked(self, token: str) -> Link | None:
        """What a token leads to; None for an unknown one."""

    async def ends(self, link: Link, opened_by: str, opened_at: datetime) -> Ends:
        """Of the case of a link, where its question was opened by the newest entry of that type; "": by its first."""

    async def ref(self, person: Person) -> str:
        """The pseudonym of a person; "" for somebody whom the log has never named."""

    async def issue(self, nonce: str, issued: Issued) -> None:
        """Stores a statement that is handed out, and forgets those that nobody can use any more."""

    async def issued(self, nonce: str) -> Issued | None:
        """A statement by its nonce; None where it is unknown or long over."""

    async def since(self, case_id: str, leaf: str) -> tuple[str, ...] | None:
        """The types of a case's entries after the one with this leaf hash; None where the case has none."""

    async def count(self, credential: str) -> int:
        """The newest sign count of a passkey; 0 where it has none."""

    async def answer(self, key: str) -> Mapping[str, object] | None:
        """What the assertion of an inbox row came to; None as long as it is not carried out."""

    async def begin_session(self, digest: str, session: Session) -> None:
        """What a passkey is to sign, under the digest of its nonce; forgets sessions that are over."""

    async def session(self, digest: str, now: datetime) -> Session | None:
        """A session that is not over at `now`."""

    async def open_session(self, signed: str, digest: str, session: Session, count: int) -> bool:
        """The passkey has signed: uses up what was under `signed`, opens the session, keeps the sign count. False where it was used
        up before."""

    async def keep_account(self, person: Person, *, full: bool) -> None:
        """Slack's newest answer about an account: whether it is a full, active member."""

    async def account(self, person: Person) -> tuple[bool, datetime] | None:
        """The same and when it came; None where Slack never said."""

    async def unconfirmed(self) -> Sequence[Unconfirmed]:
        """The yeses whose account has not been looked up since, oldest first."""

    async def confirmed(self, yes: Unconfirmed) -> None:
        """Slack has said who it is."""
