"""Every kind of message that leaves through the outbox: one row of one table for each purpose.

A message is drawn when it is sent, from the case of that moment; what has become pointless by then (a card or a reminder of
a request that is decided) is dropped. To add a kind, add a row here and a drawing in one of the three files of drawings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.domain.authority.endorsement import is_key_change
from bot.domain.case.campaign import is_campaign
from bot.domain.case.lifecycle import AskState, GrantState
from bot.domain.case.model import Case
from bot.domain.case.operator_action import is_act
from bot.domain.policy.channel_posting import is_button
from bot.domain.timing.quiet_hours import kept_by
from bot.ports.records import OutboxRow
from handlers.outbound import grant_drawings as granted
from handlers.outbound import notice_drawings as notice
from handlers.outbound import request_drawings as request
from handlers.outbound import review_drawings as reviews
from handlers.outbound.agreement_drawings import agreement_message, new_agreement
from handlers.outbound.message_kinds import Job, MessageEdit, MessageKind, Outgoing, present
from handlers.outbound.rate_lanes import Spot
from handlers.views.operator import erased

FORM_SETTLES = 0.4  # seconds; the acknowledgement draws the form's last page before we do

MESSAGE_KINDS: Mapping[str, MessageKind] = {
    "card": MessageKind(
        request.new_card, redraw=request.card_message, logged=True, looked_up=True, prompt=True, steps_on=True,
        tells_decision=True,
    ),
    "receipt": MessageKind(
        request.new_receipt, redraw=request.receipt_message, logged=True, looked_up=True, steps_on=True, tells_decision=True
    ),
    "filed_by_host": MessageKind(
        request.filed_by_host, redraw=request.filed_by_host_message, logged=True, looked_up=True
    ),
    "reminder": MessageKind(
        request.reminder, redraw=request.reminder_message, logged=True, looked_up=True, prompt=True
    ),
    "deadline": MessageKind(
        request.deadline, redraw=request.deadline_message, logged=True, looked_up=True, prompt=True
    ),
    "taken": MessageKind(request.taken, logged=True, looked_up=True),
    "outcome": MessageKind(
        request.outcome, redraw=request.outcome_message, logged=True, looked_up=True, tells_decision=True
    ),
    "body": MessageKind(request.runbook_body, redraw=request.outcome_message, looked_up=True),
    "announce": MessageKind(
        request.announcement, redraw=request.announcement_message, keeps=request.is_state, logged=True, tells_decision=True
    ),
    "alarm": MessageKind(request.alarm, logged=True, looked_up=True),
    "drill_report": MessageKind(request.drill_report, logged=True, looked_up=True),
    "watchdog": MessageKind(notice.watchdog),
    "calendar": MessageKind(notice.calendar),
    "checkpoint": MessageKind(notice.log_checkpoint),
    "operator": MessageKind(
        notice.new_operator_message, redraw=notice.operator_message, logged=True, looked_up=True
    ),
    "operator_told": MessageKind(
        notice.new_operator_message, redraw=notice.operator_message, logged=True, looked_up=True
    ),
    "lead": MessageKind(
        request.new_lead, redraw=request.lead_message, logged=True, looked_up=True, tells_decision=True
    ),
    "question": MessageKind(request.question, redraw=request.question_message, logged=True, looked_up=True),
    "answered": MessageKind(request.answer_to_question, remembered=True, logged=True, looked_up=True),
    "ending": MessageKind(granted.ending, redraw=granted.ending_message, logged=True, looked_up=True, tells_decision=True),
    "expiring": MessageKind(granted.expiring, redraw=granted.expiring_message, logged=True, looked_up=True),
    "overtaken": MessageKind(granted.overtaken, logged=True, looked_up=True, tells_decision=True),
    "owed": MessageKind(granted.owed, redraw=granted.owed_message, logged=True, looked_up=True),
    "suspended": MessageKind(granted.suspension, redraw=granted.suspension_message, logged=True, looked_up=True),
    "restored": MessageKind(granted.suspension, redraw=granted.suspension_message, logged=True, looked_up=True),
    "used": MessageKind(granted.new_use, redraw=granted.use_message, logged=True, looked_up=True),
    "digest": MessageKind(granted.digest, logged=True, looked_up=True, waits_for_day="always"),
    "executor": MessageKind(
        granted.executor_answer, remembered=True, logged=True, looked_up=True, tells_decision=True
    ),
    "executor_alarm": MessageKind(
        granted.executor_alarm, redraw=granted.alarm_message, logged=True, looked_up=True, tells_decision=True
    ),
    "extension": MessageKind(granted.extension, redraw=granted.extension_message, logged=True, looked_up=True, tells_decision=True),
    "cooling": MessageKind(request.cooling, redraw=request.cooling_message, logged=True, looked_up=True),
    "verified": MessageKind(request.verified, redraw=request.verified_message, logged=True, looked_up=True),
    "subject_before": MessageKind(granted.to_subject, redraw=granted.subject_message, logged=True, looked_up=True),
    "subject_after": MessageKind(granted.to_subject, redraw=granted.subject_message, logged=True, looked_up=True),
    "ask": MessageKind(
        granted.new_ask, redraw=granted.ask_message, logged=True, looked_up=True, steps_on=True, waits_for_day="ask"
    ),
    "ask_reminder": MessageKind(
        granted.ask_reminder, redraw=granted.ask_reminder_message, kept_as=granted.kept_reminder, logged=True,
        looked_up=True, waits_for_day="ask",
    ),
    "no_access": MessageKind(
        request.without_access, redraw=request.without_access_message, logged=True, looked_up=True
    ),
    "returned": MessageKind(notice.decided_while_away, logged=True, looked_up=True),
    "door": MessageKind(notice.channel_button, redraw=notice.channel_button_message),
    "door_receipt": MessageKind(request.new_channel_receipt, redraw=request.channel_receipt_message, logged=True),
    "policy": MessageKind(notice.policy, looked_up=True),
    "key_change": MessageKind(notice.key_change, redraw=notice.key_change_message, logged=True, looked_up=True),
    "key_endorsed": MessageKind(notice.key_endorsed, looked_up=True),
    "agreement": MessageKind(new_agreement, redraw=agreement_message, logged=True, looked_up=True, waits_for_day="always"),
    "campaign": MessageKind(
        reviews.new_campaign, redraw=reviews.campaign_message, logged=True, looked_up=True, waits_for_day="always"
    ),
    "roster": MessageKind(
        reviews.new_roster, redraw=reviews.roster_message, logged=True, looked_up=True, waits_for_day="always"
    ),
    "campaign_reminder": MessageKind(
        reviews.reminder, redraw=reviews.reminder_message, logged=True, looked_up=True, waits_for_day="always"
    ),
    "month": MessageKind(notice.month, logged=True, looked_up=True, waits_for_day="always"),
    "campaign_notice": MessageKind(reviews.notice, looked_up=True),
    "answer": MessageKind(notice.answer, "answer"),
    "page": MessageKind(notice.page, "answer"),
    "home": MessageKind(notice.app_home, "views.publish", looked_up=True),
    "form": MessageKind(notice.form_page, "views.update", settles=FORM_SETTLES),
}  # fmt: skip


async def _edit(out: Outgoing) -> Job:
    """A posted message drawn again; blanked where it shows what a person typed, for then an erasure asks for it."""
    copy, kind = present(out.row.copy), present(_row(out.row.say.purpose))
    drawn = 0
    if is_campaign(copy.case):
        drawn = present(await out.context.store.reviews.campaign(copy.case)).version
    if is_act(copy.case):
        drawn = present(await out.context.store.operator.action(copy.case)).version
    if is_button(copy.case):
        drawn = 1
    if is_key_change(copy.case):
        drawn = await notice.key_change_drawn(out)
    said = erased(out.case) if kind.remembered else await present(kind.redraw)(out)
    return MessageEdit(copy.channel, copy.ts, said, drawn)


REFRESH = MessageKind(_edit, "chat.update")


def kind_of(outgoing: OutboxRow) -> MessageKind | None:
    """The row's kind, an edit where it redraws a posted message; None for a purpose that this release does not know."""
    return REFRESH if outgoing.copy is not None else _row(outgoing.say.purpose)


def spot(outgoing: OutboxRow) -> Spot:
    """The method and place that Slack's rate limit counts this call to."""
    if outgoing.copy is not None:
        return Spot("chat.update", outgoing.copy.channel)
    kind = _row(outgoing.say.purpose)
    method = kind.method if kind else "chat.postMessage"
    if method == "views.update":
        return Spot(method, str(outgoing.say.data.get("view")))
    to = outgoing.say.to
    return Spot(method, to.user if to else outgoing.say.channel or "")


def as_kept(row: OutboxRow) -> OutboxRow:
    """The row as the copy of its message is stored."""
    kind = None if row.copy is not None else kind_of(row)
    return row if kind is None else replace(row, say=replace(row.say, purpose=kind.kept_as(row)))


def is_plain(row: OutboxRow) -> bool:
    """Whether its message is kept only to be erased."""
    kind = kind_of(row)
    return kind is not None and kind.remembered


def tells_decision(outgoing: OutboxRow, case: Case | None) -> bool:
    """Whether the message shows how something ended: then, and only then, it carries the checkpoint that covers the decision.
    The card of a later ask does once it is answered, the warning before the end once access has ended."""
    if case is None or case.request.drill is not None or case.request.waits:
        return False
    purpose = outgoing.say.purpose
    ask = case.question(granted.ask_version(purpose))
    if ask is not None:
        return ask.state is not AskState.OPEN
    kind, open_ = _row(purpose), case.grant is not None and case.grant.state is GrantState.OPEN
    return kind is not None and kind.tells_decision and not (purpose == "ending" and open_)


def waits_for_day(outgoing: OutboxRow, case: Case | None) -> bool:
    """Whether this waits for its recipient's working hours: a digest, or an ask that may wait and was not asked for."""
    kind = _row(outgoing.say.purpose)
    if kind is None or kind.waits_for_day == "never" or outgoing.copy is not None or outgoing.say.data.get("wanted"):
        return False
    if kind.waits_for_day == "always":
        return True
    if case is None:
        return False
    version = outgoing.say.data.get("version")
    ask = case.question(version if isinstance(version, int) else 0)
    return ask is not None and kept_by(ask)


def _row(purpose: str) -> MessageKind | None:
    head, dot, version = purpose.rpartition(".")
    return MESSAGE_KINDS.get(head if dot and version.isdecimal() else purpose)
