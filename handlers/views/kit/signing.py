"""The button of a yes that must be signed: a link to the page, or none for a reader whose keys do not count."""

from __future__ import annotations

from bot.domain.authority.signatures import demanded, may_sign
from bot.domain.case.ask import Ask
from bot.domain.case.model import Case
from bot.domain.policy.people import Person
from handlers import ids
from handlers.views.kit.blocks import Block, link_button
from handlers.views.kit.context import ViewContext

NO_KEY = "You can't approve: this needs a passkey, and the policy has no valid one of yours. You can still deny."
SIGNED = "You sign your approval with your passkey, on a separate page."


def needs_signature(case: Case, ask: Ask, scene: ViewContext) -> bool:
    """Whether a yes to this is signed."""
    return demanded(case, ask.kind, scene.policy, scene.binding(ask.opened_at)) != "none"


def yes_button(case: Case, ask: Ask, scene: ViewContext, plain: Block) -> Block:
    """`plain`, or where the yes is signed the link to the page."""
    if not scene.sign:
        return plain
    return link_button(str(plain["text"]["text"]), ids.SIGN, str(plain["value"]), scene.sign, "primary")


def may_sign_here(case: Case, ask: Ask, reader: Person, scene: ViewContext) -> bool:
    """Whether the reader could sign a yes, or need not."""
    older = scene.binding(ask.opened_at)
    return may_sign(scene.policy, reader, demanded(case, ask.kind, scene.policy, older), older)


def line(case: Case, ask: Ask, reader: Person, scene: ViewContext) -> str:
    """The card's line about the signature; "" if nothing is signed."""
    if not needs_signature(case, ask, scene):
        return ""
    return SIGNED if may_sign_here(case, ask, reader, scene) else NO_KEY
