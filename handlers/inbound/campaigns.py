"""A campaign's two buttons and its form: **Review N** opens it, **Keep these N** answers what may be answered together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bot.domain.case.campaign import Campaign
from bot.ports.commands import AnswerReview, ReplyAddress, ReviewAnswer, SaySentence
from handlers import ids
from handlers.inbound import payloads
from handlers.inbound.listener import Answer, Listener, SlackEdge, nothing
from handlers.inbound.payloads import Body, FormState, Submission
from handlers.views.dialogs import read_asked
from handlers.views.governance import campaigns

_ANSWERS: Mapping[str, ReviewAnswer] = {
    "keep": ReviewAnswer("", "keep"), "narrow": ReviewAnswer("", "narrow"), "withdraw": ReviewAnswer("", "withdraw"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FormAnswers:
    """What a campaign's form says: the answers, the places of the items that are still open, and errors by input."""

    answers: tuple[ReviewAnswer, ...]
    open_items: Sequence[int]
    errors: Mapping[str, str] = field(default_factory=dict)


async def open_form(edge: SlackEdge, body: Body) -> None:
    """The form with the items that are still open, for a person who may answer any of them; others get a message."""
    press = payloads.press(body)
    campaign = await found_campaign(edge, press.value)
    if campaign is None or not edge.service.reviews.may_open(campaign, press.person):
        act = SaySentence(press.person, "review_not_yours" if campaign else "review_unknown", "", press.reply)
        await edge.take_in(f"{press.key}:not_shown", act)
    elif not campaigns.asked_about(campaign):
        await edge.take_in(f"{press.key}:not_shown", SaySentence(press.person, "review_answered", "", press.reply))
    else:
        await edge.open_view(press, campaigns.form(campaign, press.reply.channel, edge.scene()), takes_away=True)


async def keep_easy(edge: SlackEdge, body: Body) -> Answer:
    """**Keep these N**: one click."""
    press = payloads.press(body)
    campaign = ids.read_campaign(press.value)
    if campaign is None:
        return await edge.take_in(press.key, SaySentence(press.person, "unknown_button", "", press.reply))
    return await edge.take_in(press.key, AnswerReview(press.person, campaign, (), press.reply, easy=True))


async def take_form(edge: SlackEdge, body: Body) -> Answer:
    """The form was sent. A flagged item that is kept without a reason is an error in place."""

    def read(campaign: Campaign, sent: Submission) -> FormAnswers:
        answers = list(_chosen(campaign, sent.sheet))
        open_items = [n for n, _ in campaigns.asked_about(campaign)]
        return FormAnswers(tuple(answer for _, answer in answers), open_items, _errors(campaign, answers))

    return await take_answers(edge, body, read)


async def take_answers(edge: SlackEdge, body: Body, read: Callable[[Campaign, Submission], FormAnswers]) -> Answer:
    """The form of a campaign was sent: takes its answers in. Errors, and a form without any answer, are shown in place."""
    sent = payloads.submission(body)
    asked = read_asked(sent.sheet.metadata)
    campaign = await found_campaign(edge, asked.question)
    reply = ReplyAddress(sent.person, "", asked.channel)
    if campaign is None:
        return await edge.take_in(sent.key, SaySentence(sent.person, "review_unknown", "", reply))
    form = read(campaign, sent)
    errors = form.errors
    if not form.answers and form.open_items:
        errors = {ids.review_choice(form.open_items[0]): "Choose for one at least."}
    if errors:
        return {"response_action": "errors", "errors": errors}
    return await edge.take_in(sent.key, AnswerReview(sent.person, campaign.id, form.answers, reply))


def _chosen(campaign: Campaign, sheet: FormState) -> Iterator[tuple[int, ReviewAnswer]]:
    for n, item in enumerate(campaign.items):
        chosen = _ANSWERS.get(sheet.entered.get(ids.review_choice(n), ""))
        if chosen is not None:
            reason = sheet.entered.get(ids.review_reason(n), "").strip()[:500]
            yield n, ReviewAnswer(item.key, chosen.answer, reason)


def _errors(campaign: Campaign, answers: list[tuple[int, ReviewAnswer]]) -> dict[str, str]:
    return {
        ids.review_reason(n): "Say why it is kept although it is flagged, or narrow it."
        for n, answer in answers
        if answer.answer == "keep" and campaign.items[n].flags and not answer.reason
    }


async def found_campaign(edge: SlackEdge, value: str) -> Campaign | None:
    """The campaign that a button or a form names."""
    id_ = ids.read_campaign(value)
    return None if id_ is None else await edge.store.reviews.campaign(id_)


REVIEW_ACTIONS: Mapping[str, Listener] = {
    ids.REVIEW_OPEN: Listener(nothing, open_form),
    ids.REVIEW_KEEP: Listener(keep_easy),
}
REVIEW_SUBMISSIONS: Mapping[str, Listener] = {ids.FORM_REVIEW: Listener(take_form)}
