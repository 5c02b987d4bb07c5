"""Where a checkpoint leaves the host for good: a witness, mail to the auditors, the webhook of a separate Slack app.

Each needs a credential that this host does not have to be undone, so a rewritten log is detected there. An
attempt either is stored in `log_anchor` afterwards or raises NotAnchored with a sentence without addresses, which may hold keys.
Source: decision-log.md, "Anchors"; C2SP tlog-witness.
"""

from __future__ import annotations

import asyncio
import json
import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Protocol
from urllib.parse import unquote, urlsplit

from bot.decision_log.keys import verify
from bot.domain.decision_log.signed_note import read_checkpoint, read_note
from bot.domain.decision_log.witness import WitnessKey, cosigned, submission
from bot.domain.errors import CountersignError, NoteError
from bot.domain.policy.trusted_address import is_loopback
from bot.http.client import CallFailed, HttpClient, Limits
from bot.ports.records import SignedCheckpoint

TIMEOUT = 20.0  # seconds
_ANSWER_SIZE = 65_536  # bytes
WITNESS, MAIL, WEBHOOK = "witness", "mail", "webhook"


class NotAnchored(CountersignError):
    """The checkpoint did not leave the host this way."""


class AnchorBook(Protocol):
    """What an anchor asks of the store."""

    async def anchored(self, kind: str, ref: str | None = None) -> int | None:
        """The greatest size anchored this way; None before the first."""

    async def consistency_between(self, old: int, size: int) -> Sequence[bytes]:
        """The RFC 9162 proof that the tree of `size` entries extends that of `old`; none for 0."""

    async def keep_anchor(self, size: int, kind: str, ref: str, blob: bytes | None) -> None:
        """Stores what was anchored; it never changes."""


class AnchorTarget(Protocol):
    """One way out."""

    @property
    def kind(self) -> str: ...
    @property
    def every(self) -> float:
        """Seconds between two attempts in a running bot."""

    async def anchor(self, book: AnchorBook, signed: SignedCheckpoint, now: datetime) -> str:
        """Takes the checkpoint out and stores that; a sentence for a person. Raises NotAnchored, StorageError."""


@dataclass(frozen=True, slots=True)
class WitnessAnchor:
    """A C2SP witness at the other party: `url` is its submission prefix, `key` what verifies its cosignatures."""

    url: str
    key: WitnessKey
    kind: str = WITNESS
    every: float = 300.0

    async def anchor(self, book: AnchorBook, signed: SignedCheckpoint, now: datetime) -> str:
        old = min(await book.anchored(WITNESS, self.key.name) or 0, signed.size)
        status, answer = await self._submit(old, await book.consistency_between(old, signed.size), signed.note)
        if status == 409:
            seen = _size(answer)
            if seen > signed.size:
                raise NotAnchored(
                    f"The witness {self.key.name} has seen {seen} entries of this log, and here are {signed.size}: entries"
                    " are gone."
                )
            status, answer = await self._submit(seen, await book.consistency_between(seen, signed.size), signed.note)
        if status != 200:
            raise NotAnchored(f"The witness {self.key.name} {_REFUSALS.get(status, f'answered {status}')}.")
        try:
            note, seconds = cosigned(answer, signed.note, self.key, verify)
        except NoteError as error:
            raise NotAnchored(str(error)) from None
        await book.keep_anchor(signed.size, WITNESS, self.key.name, note.encode())
        return f"The witness {self.key.name} cosigned {signed.size} entries (its time: {seconds} s since 1970)."

    async def _submit(self, old: int, path: Sequence[bytes], note: str) -> tuple[int, str]:
        return await _post(self.url.rstrip("/") + "/add-checkpoint", submission(old, path, note).encode(), "text/plain")


_REFUSALS = {
    400: "could not read what we sent",
    403: "does not know the key that signs this log: give it `countersign log vkey`",
    404: "does not know this log: give it `countersign log vkey`",
    409: "has seen another size meanwhile; it is tried again",
    422: "refuses: this log does not extend the one that it saw. It was rewritten, or it is another one",
}


@dataclass(frozen=True, slots=True)
class MailAnchor:
    """To the auditors. `server`: `smtp://[user:password@]host[:port]` (STARTTLS where offered) or `smtps://…`."""

    server: str
    sender: str
    to: tuple[str, ...]
    kind: str = MAIL
    every: float = 86_400.0

    async def anchor(self, book: AnchorBook, signed: SignedCheckpoint, now: datetime) -> str:
        message = self._message(signed, now)
        try:
            await asyncio.to_thread(_send, self.server, message)
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise NotAnchored(f"The mail server did not take it ({type(error).__name__}).") from None
        await book.keep_anchor(signed.size, MAIL, str(message["Message-ID"]), None)
        return f"{signed.size} entries were mailed to {len(self.to)} people as {message['Message-ID']}."

    def _message(self, signed: SignedCheckpoint, now: datetime) -> EmailMessage:
        message = EmailMessage()
        message["Subject"] = f"Checkpoint of the decision log {_origin(signed)}: {signed.size} entries"
        message["From"], message["To"] = self.sender, ", ".join(self.to)
        message["Date"], message["Message-ID"] = format_datetime(now), make_msgid(domain=self.sender.rpartition("@")[2])
        message.set_content(_TEXT + "\n" + signed.note, cte="base64")
        return message


@dataclass(frozen=True, slots=True)
class WebhookAnchor:
    """The incoming webhook of a separate Slack app: it can post and never edit."""

    url: str
    kind: str = WEBHOOK
    every: float = 3_600.0

    async def anchor(self, book: AnchorBook, signed: SignedCheckpoint, now: datetime) -> str:
        body = json.dumps({"text": f"{_TEXT}\n```\n{signed.note}```"}).encode()
        status, _ = await _post(self.url, body, "application/json")
        if status != 200:
            raise NotAnchored(f"The webhook answered {status}.")
        await book.keep_anchor(signed.size, WEBHOOK, urlsplit(self.url).hostname or "", None)
        return f"{signed.size} entries were posted through the webhook."


_TEXT = (
    "Keep this where the host of Countersign cannot reach it: it is the newest signed checkpoint of its decision log. A log"
    " that was rewritten below this size no longer extends it (`countersign log consistency`)."
)


def _origin(signed: SignedCheckpoint) -> str:
    return read_checkpoint(read_note(signed.note).text).origin


def _size(text: str) -> int:
    plain = text.strip()
    if not (plain.isascii() and plain.isdigit() and len(plain) < 16):
        raise NotAnchored("The witness answered 409 without the size that it has seen.")
    return int(plain)


async def _post(url: str, body: bytes, content: str) -> tuple[int, str]:
    """Status and text of the answer. Raises NotAnchored where there is none."""
    try:
        async with HttpClient() as http:
            answer = await http.post(url, body, {"Content-Type": content}, Limits(TIMEOUT, _ANSWER_SIZE))
    except CallFailed as error:
        raise NotAnchored(f"It could not be reached ({error}).") from None
    return answer.status, answer.body.decode("utf-8", "replace")


def _send(server: str, message: EmailMessage) -> None:
    """On a thread. A password is sent only over TLS, or to this machine."""
    parts, tls = urlsplit(server), ssl.create_default_context()
    host, secure = parts.hostname or "", parts.scheme == "smtps"
    smtp: smtplib.SMTP
    if secure:
        smtp = smtplib.SMTP_SSL(host, parts.port or 465, timeout=TIMEOUT, context=tls)
    else:
        smtp = smtplib.SMTP(host, parts.port or 25, timeout=TIMEOUT)
    with smtp:
        smtp.ehlo()
        if not secure and smtp.has_extn("starttls"):
            smtp.starttls(context=tls)
            secure = True
        if parts.username:
            if not (secure or is_loopback(host)):
                raise smtplib.SMTPNotSupportedError("no TLS for the password")
            smtp.login(unquote(parts.username), unquote(parts.password or ""))
        smtp.send_message(message)
