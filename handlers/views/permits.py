"""The page that shows a permit, once, and the page with the reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from bot.service.permits import Permit
from handlers import ids
from handlers.views.answers import say
from handlers.views.dialogs import said_page
from handlers.views.kit import wording
from handlers.views.kit.blocks import SECTION_MAX, Block, context, input_block, modal, section
from handlers.views.kit.context import ViewContext
from handlers.views.kit.escaping import inline


def permit_page(case_id: str, permit: Permit, scene: ViewContext) -> Block:
    """The token in a text field, which a phone wraps and copies. One that Slack has no room for is had on the host."""
    until = scene.at(datetime.fromtimestamp(permit.expires, UTC))
    head = section(
        f"*{inline(case_id, 20)}.* The permit can be used once, until {until}. Paste it where the system asks for it."
    )
    if len(permit.token) > SECTION_MAX:
        host = section(f"It is too long for this page. On the host: `countersign permit issue {inline(case_id, 20)}`.")
        return modal(ids.FORM_PERMIT, wording.PERMIT, [head, host], close=wording.CLOSE)
    field: Block = {
        "type": "plain_text_input", "action_id": ids.PERMIT_TEXT, "multiline": True, "initial_value": permit.token,
    }  # fmt: skip
    blocks = [head, input_block(ids.PERMIT_TEXT, wording.PERMIT, field, optional=True, hint=wording.PERMIT_COPY)]
    return modal(
        ids.FORM_PERMIT, wording.PERMIT, [*blocks, context(wording.PERMIT_ONCE)], submit=wording.COPIED, close=wording.CLOSE
    )


def no_permit(name: str, params: Mapping[str, object], scene: ViewContext) -> Block:
    """Why there is none."""
    return said_page(say(name, params, scene).text)
