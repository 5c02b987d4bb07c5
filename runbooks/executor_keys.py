"""What the environment holds for an executor: looked at when policy is, so that no opening is the first to find it wrong."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from bot.domain.addresses import trusted
from runbooks.parsing.parsed_file import ParsedFile
from runbooks.parsing.schema import ExecutorShape

SECRET, LEAST = "whsec_", 24


def check_executor(
    sheet: ParsedFile, executor: ExecutorShape | None, environment: Mapping[str, str] | None, required: bool
) -> None:
    """An address that is not https, a secret that is none. What is unset is said elsewhere (`pages`)."""
    if executor is None:
        return
    wanted = (
        ("webhook", executor.webhook, trusted, "an address that starts with https://"),
        ("secret", executor.secret, is_secret, f"`{SECRET}` and the base64 of at least {LEAST} random bytes"),
    )
    for key, told, sound, what in wanted:
        name = told.removeprefix("env:")
        value = (environment or {}).get(name, "")
        if value and not sound(value):
            say = sheet.error if required else sheet.warning
            say(("executor", key), f"The environment variable {name} is not {what}: correct it.")


def is_secret(text: str) -> bool:
    """A symmetric secret as Standard Webhooks has it."""
    try:
        return text.startswith(SECRET) and len(base64.b64decode(text.removeprefix(SECRET), validate=True)) >= LEAST
    except (binascii.Error, ValueError):
        return False
