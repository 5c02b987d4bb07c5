"""Which anchors the settings name. A setting that is half there is a sentence and exit 2."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot.decision_log.anchors import AnchorTarget, MailAnchor, WebhookAnchor, WitnessAnchor, loopback
from bot.domain.decision_log.witness import read_witness_key
from bot.domain.errors import NoteError

if TYPE_CHECKING:
    from bot.settings import Settings

_ADDRESS = re.compile(r"[^\s@,<>]+@[^\s@,<>]+")


def anchors(settings: Settings) -> tuple[AnchorTarget, ...]:
    """The ways out that are configured. The settings were checked when they were read."""
    found: list[AnchorTarget] = []
    if settings.witness_url is not None and settings.witness_vkey is not None:
        found.append(WitnessAnchor(settings.witness_url.get_secret_value(), read_witness_key(settings.witness_vkey)))
    if settings.anchor_mail is not None and settings.smtp_url is not None and settings.smtp_from is not None:
        found.append(MailAnchor(settings.smtp_url.get_secret_value(), settings.smtp_from, recipients(settings.anchor_mail)))
    if settings.anchor_webhook is not None:
        found.append(WebhookAnchor(settings.anchor_webhook.get_secret_value()))
    return tuple(found)


def recipients(text: str) -> tuple[str, ...]:
    """The addresses of COUNTERSIGN_ANCHOR_MAIL, which commas part."""
    return tuple(one.strip() for one in text.split(",") if one.strip())


def faults(settings: Settings) -> Iterator[str]:
    """What is wrong, a sentence each without its end."""
    for name in ("witness_url", "anchor_webhook"):
        secret = getattr(settings, name)
        if secret is not None and not _reachable(secret.get_secret_value()):
            yield f"COUNTERSIGN_{name.upper()} must be an address that starts with https:// (or http:// on this machine)"
    if (settings.witness_url is None) != (settings.witness_vkey is None):
        yield "COUNTERSIGN_WITNESS_URL and COUNTERSIGN_WITNESS_VKEY belong together: the witness's operator gives you both"
    if settings.witness_vkey is not None:
        try:
            read_witness_key(settings.witness_vkey)
        except NoteError as error:
            yield f"COUNTERSIGN_WITNESS_VKEY: {str(error).removesuffix('.')}"
    yield from _mail(settings)


def _mail(settings: Settings) -> Iterator[str]:
    if settings.anchor_mail is None:
        return
    if settings.smtp_url is None or settings.smtp_from is None:
        yield "COUNTERSIGN_ANCHOR_MAIL needs COUNTERSIGN_SMTP_URL and COUNTERSIGN_SMTP_FROM"
    given = recipients(settings.anchor_mail)
    if not given or not all(_ADDRESS.fullmatch(one) for one in (*given, *filter(None, [settings.smtp_from]))):
        yield "COUNTERSIGN_ANCHOR_MAIL and COUNTERSIGN_SMTP_FROM hold mail addresses, those of the former parted by commas"
    server = settings.smtp_url.get_secret_value() if settings.smtp_url is not None else "smtp://localhost"
    if urlsplit(server).scheme not in ("smtp", "smtps") or not urlsplit(server).hostname:
        yield "COUNTERSIGN_SMTP_URL reads smtp://[user:password@]host[:port], or smtps://"


def _reachable(url: str) -> bool:
    parts = urlsplit(url)
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and loopback(parts.hostname or "")))
