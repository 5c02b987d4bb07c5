"""The anchors that the settings configure."""

from __future__ import annotations

from bot.decision_log.anchors import AnchorTarget, MailAnchor, WebhookAnchor, WitnessAnchor
from bot.domain.decision_log.witness import read_witness_key
from bot.settings import Settings


def anchors(settings: Settings) -> tuple[AnchorTarget, ...]:
    """The configured anchors. Settings has validated its values when it was loaded."""
    found: list[AnchorTarget] = []
    if settings.witness_url is not None and settings.witness_vkey is not None:
        found.append(WitnessAnchor(settings.witness_url.get_secret_value(), read_witness_key(settings.witness_vkey)))
    if settings.anchor_mail is not None and settings.smtp_url is not None and settings.smtp_from is not None:
        found.append(MailAnchor(settings.smtp_url.get_secret_value(), settings.smtp_from, settings.anchor_recipients))
    if settings.anchor_webhook is not None:
        found.append(WebhookAnchor(settings.anchor_webhook.get_secret_value()))
    return tuple(found)
