"""What a button is about: the act on the question that it names, or an answer where it names none."""

from __future__ import annotations

from collections.abc import Callable

from bot.acts import Act, Tell
from handlers import names
from handlers.payloads import Press


def about(press: Press, act: Callable[[str, int], Act]) -> Act:
    """The act on the question that the button names; an answer where it names none."""
    asked = names.read_question(press.value)
    return Tell(press.person, "unknown_button", "", press.reply) if asked is None else act(*asked)
