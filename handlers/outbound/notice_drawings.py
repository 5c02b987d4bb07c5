"""Drawings that are not about one request's course: answers, pages, forms, App Home, and what channels are notified of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.domain.authority.endorsement import Became, Given, key_change_id
from bot.domain.governance.own_letters import own_letters
from bot.domain.operator.dual_control import signature_demanded
from handlers.outbound.agreement_drawings import own_matrix
from handlers.outbound.coming_steps import with_ahead
from handlers.outbound.message_kinds import (
    NO_LONGER_OPEN,
    NOTHING_TO_DRAW,
    Job,
    NewMessage,
    Outgoing,
    Published,
    Reply,
    ViewUpdate,
    present,
)
from handlers.outbound.pages import PAGES
from handlers.outbound.sign_page_words import sign_here
from handlers.views import alerts, checkpoint
from handlers.views import operator as operator_cards
from handlers.views.answers import say
from handlers.views.channel_button import door, door_moved
from handlers.views.dialogs import filed_result, said_page
from handlers.views.governance import key_changes
from handlers.views.governance.agreement import at_home, own_rows_at_home
from handlers.views.governance.campaigns import at_home as reviews_at_home
from handlers.views.governance.roster import at_home as roster_at_home
from handlers.views.home import home
from handlers.views.kit.blocks import Message
from handlers.views.welcome_back import returned


async def answer(out: Outgoing) -> Job:
    if out.text("sentence") == "sign_on_page" and out.text("act"):
        act = present(await out.context.store.operator.action(out.text("act")))
        return Reply(out.reply, sign_here(await out.context.service.signing.act_address(act, out.to)))
    if out.text("sentence") == "sign_on_page":
        ask = out.case.question(out.whole("version"))
        return Reply(out.reply, sign_here((await out.signing_scene(present(ask))).sign))
    return Reply(out.reply, say(out.text("sentence"), out.row.say.data, out.scene()))


async def page(out: Outgoing) -> Job:
    reply, draw = out.reply, present(PAGES.get(out.text("page")))
    return Reply(reply, await draw(out.context, reply.person, out.text("argument"), out.scene()))


async def month(out: Outgoing) -> Job:
    """The month's figures, as `/countersign report` shows them; the refusal, if the person may no longer see them."""
    return NewMessage(out.to.user, await PAGES["report"](out.context, out.to, out.text("argument"), out.scene()))


async def form_page(out: Outgoing) -> Job:
    """The last page of a form that was sent."""
    view, scene = out.text("view"), out.scene()
    if out.text("sentence") == "filed" and out.found is not None:
        return ViewUpdate(view, filed_result(out.found, await out.scene_ahead()))
    return ViewUpdate(view, said_page(say(out.text("sentence"), out.row.say.data, scene).text))


async def app_home(out: Outgoing) -> Job:
    to, service, scene = out.to, out.context.service, out.scene()
    may_ask = bool(service.filing.runbooks_for(to, None))
    shown = await service.queries.read_home(to, scene.now)
    waiting = [
        *at_home(own_matrix(scene.policy, service.agreements, to)),
        *reviews_at_home(await service.reviews.theirs(to), scene),
        *roster_at_home(await service.reviews.to_attest(to), to, scene),
    ]
    scene = await with_ahead(service, scene, (*shown.waiting, *shown.mine, *shown.led))
    rows = own_rows_at_home(tuple(own_letters(scene.policy, to)), scene)
    return Published(to.user, home(shown, scene, may_ask=may_ask, governance=waiting, rows=rows))


async def decided_while_away(out: Outgoing) -> Job:
    """What was decided for somebody who was away; nothing where nothing was."""
    to, since = out.to, out.moment("since")
    decided = await out.context.service.queries.read_decided_for(to, since, out.moment("until"))
    return NewMessage(to.user, returned(decided, since, out.scene())) if decided else NOTHING_TO_DRAW


async def operator_message(out: Outgoing) -> Message:
    """The card that asks to confirm an operator's action, or the notice of one."""
    act = present(await out.context.store.operator.action(out.row.say.case or ""))
    scene = out.scene()
    if out.row.say.purpose != "operator":
        return operator_cards.told(act, scene)
    if signature_demanded(scene.policy):
        scene = replace(scene, sign=await out.context.service.signing.act_address(act, out.to))
    return operator_cards.card(act, out.to, scene)


async def new_operator_message(out: Outgoing) -> Job:
    to, act = out.to, await out.context.store.operator.action(out.row.say.case or "")
    return NewMessage(to.user, await operator_message(out), drawn=present(act).version)


async def channel_button(out: Outgoing) -> Job:
    return NewMessage(out.channel, door(out.scene()))


async def channel_button_message(out: Outgoing) -> Message:
    """A button that was posted; only the newest message of its channel has it."""
    copy = present(out.row.copy)
    newest = max(one.id for one in await out.context.store.outbox.copies(copy.case))
    return door(out.scene()) if copy.id == newest else door_moved()


async def policy(out: Outgoing) -> Job:
    return NewMessage(out.place, alerts.policy_gain(out.row.say.data, out.scene()))


async def key_change(out: Outgoing) -> Job:
    """A change of the signing keys that lacks an endorsement, with the link of everybody who may give it; nothing once it waits no
    longer."""
    to, id_ = out.to, key_change_id(out.text("old"), out.text("new"))
    became, given = await out.context.service.endorsements.became(id_)
    return NewMessage(to.user, await _key_change(out, id_, became, given)) if became.outcome == "waits" else NO_LONGER_OPEN


async def key_change_message(out: Outgoing) -> Message:
    """The same message as things are now: who endorsed it and when, or that it waits no longer."""
    id_ = out.row.say.case or ""
    return await _key_change(out, id_, *await out.context.service.endorsements.became(id_))


async def key_change_drawn(out: Outgoing) -> int:
    """0 while the change waits for an endorsement and its message says so, 1 afterwards."""
    became, _given = await out.context.service.endorsements.became(out.row.say.case or "")
    return int(became.outcome != "waits")


async def _key_change(out: Outgoing, id_: str, became: Became, given: Sequence[Given]) -> Message:
    endorsements = out.context.service.endorsements
    change = await endorsements.waiting(id_) if became.outcome == "waits" else None
    link = "" if change is None else await endorsements.address(change, out.to)
    return key_changes.asked(became, given, link, out.scene())


async def key_endorsed(out: Outgoing) -> Job:
    return NewMessage(out.to.user, key_changes.endorsed(out.row.say.data, out.scene()))


async def calendar(out: Outgoing) -> Job:
    return NewMessage(out.channel, alerts.calendar(out.row.say.data, out.scene()))


async def watchdog(out: Outgoing) -> Job:
    return NewMessage(out.channel, alerts.watchdog(out.row.say.data, out.scene()))


async def log_checkpoint(out: Outgoing) -> Job:
    note = await out.context.store.log.last_checkpoint()
    return NewMessage(out.channel, checkpoint.posted(present(note)))
