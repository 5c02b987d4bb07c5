"""What a button is about: the act on the question that it names, or an answer where it names none."""

from __future__ import annotations

from collections.abc import Callable

from bot.ports.commands import Command, SaySentence
from handlers import ids
from handlers.inbound.payloads import ButtonPress


def about(press: ButtonPress, act: Callable[[str, int], Command]) -> Command:
    """The act on the question that the button names; an answer where it names none."""
    asked = ids.read_question(press.value)
    return SaySentence(press.person, "unknown_button", "", press.reply) if asked is None else act(*asked)
