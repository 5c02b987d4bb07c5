"""**Confirm** and **Refuse** on an operator's act: the two buttons, and how its messages are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from bot.ports.commands import ConfirmOperatorAction, SaySentence
from handlers import ids
from handlers.inbound import payloads
from handlers.inbound.listener import Answer, Listener, SlackEdge
from handlers.inbound.payloads import Body


def pressed(answer: Literal["confirm", "refuse"]) -> Listener:
    """One click, one voice."""

    async def acknowledge(edge: SlackEdge, body: Body) -> Answer:
        press = payloads.press(body)
        act_id = ids.read_act(press.value)
        if act_id is None:
            return await edge.take_in(press.key, SaySentence(press.person, "unknown_button", "", press.reply))
        return await edge.take_in(press.key, ConfirmOperatorAction(press.person, act_id, answer, press.reply))

    return Listener(acknowledge)


OPERATOR_ACTIONS: Mapping[str, Listener] = {ids.CONFIRM: pressed("confirm"), ids.REFUSE: pressed("refuse")}
