"""A lead is asked which of their people who may ask are still theirs: one message, one form, a choice for each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence

from bot.domain.case.campaign import Campaign, Item
from bot.domain.governance.roster import to_attest
from bot.domain.policy.people import Person
from handlers import ids
from handlers.views.kit import wording
from handlers.views.kit.blocks import Block, Message, actions, button, context, input_block, message, modal, plain, section
from handlers.views.kit.context import ViewContext
from handlers.views.kit.escaping import inline

FORM_PEOPLE, _LISTED = 30, 30
_CHOICES = (
    ("stays", "Still ours", "they may go on asking, if the owner keeps them"),
    ("left", "No longer ours", "the owner is told"),
)


def card(campaign: Campaign, lead: Person, scene: ViewContext) -> Message:
    """What is left for this lead to say, and the button."""
    left = to_attest(campaign, scene.policy, lead)
    if campaign.state == "closed" or not left:
        text = "*People who may ask for you*: nothing is left to confirm. Thank you."
        return message(text, [section(text)])
    names = ", ".join(named(item) for item in left[:_LISTED]) + (
        f" and {len(left) - _LISTED} more" if len(left) > _LISTED else ""
    )
    text = (
        f"*{_head(left, scene)}*\n{names}\n"
        "Say who is still yours. Your answer changes no right by itself; the owner decides who keeps it."
    )
    return message(text, [section(text), _attest(campaign, left)])


def at_home(found: Iterable[Campaign], lead: Person, scene: ViewContext) -> list[Block]:
    """One line and the button on the App Home for each campaign that waits for this lead's answer."""
    blocks: list[Block] = []
    for campaign in found:
        left = to_attest(campaign, scene.policy, lead)
        if left:
            where = ", ".join(inline(d.name, 60) for d in map(scene.domain, campaign.domains) if d is not None)
            blocks.append(section(f"*{_head(left, scene)}* · {where} · {campaign.id}"))
            blocks.append(_attest(campaign, left) | {"block_id": f"{ids.BLOCK_ROSTER}.{campaign.id}"})
    return blocks


def _head(left: Sequence[Item], scene: ViewContext) -> str:
    return f"People who may ask for {scene.provider(left[0].provider)}: {len(left)} to confirm"


def _attest(campaign: Campaign, left: Sequence[Item]) -> Block:
    return actions(ids.BLOCK_ROSTER, button(f"Attest {len(left)}", ids.ROSTER_OPEN, campaign.id, "primary"))


def named(item: Item) -> str:
    """A person under review, as Slack shows them."""
    user = item.of.rpartition("/")[2]
    return f"<@{user}>" if user.isascii() and user.isalnum() else "somebody"


def asked_about(campaign: Campaign, lead: Person, scene: ViewContext) -> Sequence[tuple[int, Item]]:
    """The people of the next form with their places in the campaign."""
    mine = {item.key for item in to_attest(campaign, scene.policy, lead)}
    return [(n, item) for n, item in enumerate(campaign.items) if item.key in mine][:FORM_PEOPLE]


def form(campaign: Campaign, lead: Person, channel: str, scene: ViewContext) -> Block:
    """One choice a person; what is left blank stays open."""
    blocks: list[Block] = [context("What you leave blank stays open. It is recorded who said it and when.")]
    for n, item in asked_about(campaign, lead, scene):
        blocks.append(section(f"{named(item)} ({plain(item.title, 60)['text']})"))
        blocks.append(input_block(ids.review_choice(n), "Are they still yours?", _choices(n), optional=True))
    metadata = json.dumps({"question": campaign.id, "channel": channel})
    return modal(ids.FORM_ROSTER, "People who may ask", blocks, submit="Attest", close=wording.CANCEL, metadata=metadata)


def _choices(n: int) -> Block:
    options = [{"text": plain(w, 75), "value": v, "description": plain(d, 75)} for v, w, d in _CHOICES]
    return {"type": "radio_buttons", "action_id": ids.review_choice(n), "options": options}


def _taken(params: Mapping[str, object], _scene: ViewContext) -> str:
    left = params.get("left")
    gone = f" {left} are no longer yours; their owner is told." if left else ""
    return f"Recorded for {params.get('people')} people.{gone}"


ROSTER_SENTENCES: Mapping[str, Callable[[Mapping[str, object], ViewContext], str]] = {"roster_taken": _taken}
