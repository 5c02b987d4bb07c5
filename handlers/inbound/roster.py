"""**Attest N** and its form: a lead says who of their people who may ask are still theirs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.domain.case.campaign import Campaign
from bot.ports.commands import AnswerReview, ReplyAddress, ReviewAnswer, SaySentence
from handlers import ids
from handlers.inbound import payloads
from handlers.inbound.campaigns import found_campaign
from handlers.inbound.listener import Answer, Listener, SlackEdge, nothing
from handlers.inbound.payloads import Body, FormState
from handlers.views.dialogs import read_asked
from handlers.views.governance import roster

_WORDS: Mapping[str, ReviewAnswer] = {"stays": ReviewAnswer("", "stays"), "left": ReviewAnswer("", "left")}


async def open_form(edge: SlackEdge, body: Body) -> None:
    """The form, for a lead of whose people nobody has spoken yet; the others get a sentence."""
    press = payloads.press(body)
    campaign = await found_campaign(edge, press.value)
    if campaign is None or not roster.asked_about(campaign, press.person, edge.scene()):
        sentence = "review_unknown" if campaign is None else "review_answered"
        await edge.take_in(f"{press.key}:not_shown", SaySentence(press.person, sentence, "", press.reply))
    else:
        form = roster.form(campaign, press.person, press.reply.channel, edge.scene())
        await edge.open_view(press, form, takes_away=True)


async def take_form(edge: SlackEdge, body: Body) -> Answer:
    """The form was sent; one without any answer is an error in place."""
    sent = payloads.submission(body)
    asked = read_asked(sent.sheet.metadata)
    campaign = await found_campaign(edge, asked.question)
    reply = ReplyAddress(sent.person, "", asked.channel)
    if campaign is None:
        return await edge.take_in(sent.key, SaySentence(sent.person, "review_unknown", "", reply))
    words = tuple(_chosen(campaign, sent.sheet))
    places = roster.asked_about(campaign, sent.person, edge.scene())
    if not words and places:
        return {"response_action": "errors", "errors": {ids.review_choice(places[0][0]): "Choose for one at least."}}
    return await edge.take_in(sent.key, AnswerReview(sent.person, campaign.id, words, reply))


def _chosen(campaign: Campaign, sheet: FormState) -> Iterator[ReviewAnswer]:
    for n, item in enumerate(campaign.items):
        word = _WORDS.get(sheet.entered.get(ids.review_choice(n), ""))
        if word is not None:
            yield ReviewAnswer(item.key, word.answer)


ROSTER_ACTIONS: Mapping[str, Listener] = {ids.ROSTER_OPEN: Listener(nothing, open_form)}
ROSTER_SUBMISSIONS: Mapping[str, Listener] = {ids.FORM_ROSTER: Listener(take_form)}
