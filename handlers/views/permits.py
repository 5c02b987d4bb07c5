"""The page that shows a permit, once, and the one that says why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from bot.service.permits import Permit
from handlers import ids
from handlers.views.answers import say
from handlers.views.dialogs import said_page
from handlers.views.kit import wording
from handlers.views.kit.blocks import SECTION_MAX, Block, context, modal, section
from handlers.views.kit.context import ViewContext
from handlers.views.kit.escaping import inline


def permit_page(case_id: str, permit: Permit, scene: ViewContext) -> Block:
    """The token as it is, to be copied. One that Slack has no room for is had on the host."""
    until = scene.at(datetime.fromtimestamp(permit.expires, UTC))
    head = f"*{inline(case_id, 20)}.* The permit holds until {until}, once. Give it to the system that asks for it."
    shown = f"```{permit.token}```"
    if len(shown) > SECTION_MAX:
        shown = f"It is too long for this page. On the host: `countersign permit issue {inline(case_id, 20)}`."
    blocks = [section(head), section(shown), context(wording.PERMIT_ONCE)]
    return modal(ids.FORM_PERMIT, wording.PERMIT, blocks, close=wording.CLOSE)


def no_permit(name: str, params: Mapping[str, object], scene: ViewContext) -> Block:
    """Why there is none."""
    return said_page(say(name, params, scene).text)
