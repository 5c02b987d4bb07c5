"""**Attest N** and its form: a lead says who of their people who may ask are still theirs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.domain.case.campaign import Campaign
from bot.ports.commands import ReviewAnswer, SaySentence
from handlers import ids
from handlers.inbound import payloads
from handlers.inbound.campaigns import FormAnswers, found_campaign, take_answers
from handlers.inbound.listener import Answer, Listener, SlackEdge, nothing
from handlers.inbound.payloads import Body, FormState, Submission
from handlers.views.governance import roster

_WORDS: Mapping[str, ReviewAnswer] = {"stays": ReviewAnswer("", "stays"), "left": ReviewAnswer("", "left")}


async def open_form(edge: SlackEdge, body: Body) -> None:
    """The form, for a lead some of whose people are not attested yet; others get a sentence."""
    press = payloads.press(body)
    campaign = await found_campaign(edge, press.value)
    if campaign is None or not roster.asked_about(campaign, press.person, edge.scene()):
        sentence = "review_unknown" if campaign is None else "review_answered"
        await edge.take_in(f"{press.key}:not_shown", SaySentence(press.person, sentence, "", press.reply))
    else:
        form = roster.form(campaign, press.person, press.reply.channel, edge.scene())
        await edge.open_view(press, form, takes_away=True)


async def take_form(edge: SlackEdge, body: Body) -> Answer:
    """The form was sent."""

    def read(campaign: Campaign, sent: Submission) -> FormAnswers:
        open_items = [n for n, _ in roster.asked_about(campaign, sent.person, edge.scene())]
        return FormAnswers(tuple(_chosen(campaign, sent.sheet)), open_items)

    return await take_answers(edge, body, read)


def _chosen(campaign: Campaign, sheet: FormState) -> Iterator[ReviewAnswer]:
    for n, item in enumerate(campaign.items):
        word = _WORDS.get(sheet.entered.get(ids.review_choice(n), ""))
        if word is not None:
            yield ReviewAnswer(item.key, word.answer)


ROSTER_ACTIONS: Mapping[str, Listener] = {ids.ROSTER_OPEN: Listener(nothing, open_form)}
ROSTER_SUBMISSIONS: Mapping[str, Listener] = {ids.FORM_ROSTER: Listener(take_form)}
