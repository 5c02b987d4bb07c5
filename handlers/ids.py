"""All callback, action and command ids that Slack sends back.

They are stable: a click on a card that was posted months ago still works. A button's value is an opaque request id and the
question's version, `R-ABCD1234:1`: never authority, never data (design, section 6). A new button and its form have the name of
their row in `bot.service.actions` as id and need none here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.clock import read_request_id
from bot.domain.case.campaign import PREFIX as CAMPAIGN
from bot.domain.case.operator_action import PREFIX
from bot.domain.policy.model import Kind

# Buttons.
APPROVE = "approve"
WAS_NOT_ME = "was_not_me"
SIGN = "sign"  # a link: its payload is acknowledged and never judged
DENY = "deny"
WITHDRAW = "withdraw"
LESS = "approve_less"
QUESTION = "question"
HOLD = "on_it"
PASS = "pass"  # noqa: S105  the word on a button
ANSWER = "answer"
PUSH = "escalate_now"
AGAIN = "ask_again"
ASK_HERE = "ask_here"
RECOMMEND = "recommend"
ADVISE_AGAINST = "advise_against"
FINISHED = "finished"
UNUSED = "not_used"
PERMIT = "permit"
REVOKE = "revoke"
EXTEND = "extend"
RENEW = "renew"
EVIDENCE = "add_evidence"
ATTEST = "attest"
VERIFY = "verify"
ACCEPT = "accept"
FLAG = "flag"
RATIFY = "ratify"
REJECT = "reject"
RESTORE = "restore"
LIFT = "lift_suspension"
CLOSE_EXCEPTION = "close_exception"
KEEP = "keep"
WITHDRAW_RIGHT = "withdraw_right"
HERE = "i_am_here"
ACKNOWLEDGE = "acknowledge"
CLOSE = "close_finding"
SHARE = "share_finding"
CORRECT = "correct_noticed"
CONFIRM = "operator_confirm"
REFUSE = "operator_refuse"
MATRIX_CONFIRM = "matrix_confirm"
MATRIX_ACKNOWLEDGE = "matrix_acknowledge"
MATRIX_DISPUTE = "matrix_dispute"
REVIEW_OPEN = "review_items"
REVIEW_KEEP = "review_keep_easy"
ROSTER_OPEN = "roster_people"
HOME_PAGE = "home_page"
GO_AWAY = "go_away"
COME_BACK = "come_back"

# Forms (callback_id).
FORM_ASK = "ask"
FORM_DENY = "deny_reason"
FORM_FILED = "filed"
FORM_LESS = "less"
FORM_QUESTION = "question_text"
FORM_ANSWER = "answer_text"
FORM_PUSH = "push_text"
FORM_AWAY = "away"
FORM_EXTEND = "extend"
FORM_RENEW = "renew"
FORM_SEALED = "sealed_use"
FORM_EVIDENCE = "evidence"
FORM_FLAG = "flag_note"
FORM_REJECT = "reject_note"
FORM_VERIFY = "verified"
FORM_PERMIT = "permit"
PERMIT_TEXT = "permit_text"
FORM_HOME = "home"
FORM_DISPUTE = "matrix_dispute"
FORM_CLOSE = "close_finding"
FORM_CORRECT = "correct_noticed"
FORM_REVIEW = "review_items"
FORM_ROSTER = "roster_people"

# Shortcuts (callback_id): global ones, and those of a message.
SHORTCUT_ASK = "ask"
SHORTCUT_FINDING = "finding"
SHORTCUT_MESSAGE_ASK, SHORTCUT_MESSAGE_FINDING = "ask_message", "finding_message"

# Inputs of the form (action_id). Blocks whose choices depend on the runbook carry its id in their block_id, so that a
# choice made under another runbook never survives; text inputs keep theirs, so that typed text does.
RUNBOOK = "runbook"
TARGET_TEXT = "target_text"
TARGET_CHOICE = "target_choice"
REASON = "reason"
DURATION = "duration"
UNTIL = "until"
SUBJECT = "subject"
FIELD = "field"
STOCK_REASON = "stock_reason"
BACK_ON = "back_on"
EVIDENCE_NAME = "evidence_name"
SEALED_DOMAIN = "sealed_domain"
SEALED_AT = "sealed_at"
SEALED_BY = "sealed_by"
SEALED_REFERENCE = "sealed_reference"
METHOD = "method"
REFERENCE = "reference"
DONE_AT = "done_at"
NOTICED_AT = "noticed_at"
OUTCOME = "outcome"

# Blocks without an input of their own.
BLOCK_CONSEQUENCE = "consequence"
BLOCK_NOTE = "note"
BLOCK_DOUBT = "doubt"
BLOCK_DECIDE = "decide"
BLOCK_RECEIPT = "receipt"
BLOCK_BESIDE = "beside"
BLOCK_LEAD = "lead"
BLOCK_DOOR = "door"
BLOCK_ANSWER = "to_answer"
BLOCK_GRANT = "grant"
BLOCK_DRILL = "drill"
BLOCK_PROOF = "proof"
BLOCK_OPERATOR = "operator"
BLOCK_MATRIX = "matrix"
BLOCK_REVIEW = "review"
BLOCK_ROSTER = "roster"
BLOCK_SIGN = "sign"


@dataclass(frozen=True, slots=True)
class FilingCommand:
    """A command that files a request of one kind."""

    name: str
    kind: Kind


COMMAND_MAIN = "countersign"
FILINGS: tuple[FilingCommand, ...] = (
    FilingCommand("breakglass", "emergency_access"),
    FilingCommand("reset", "reset"),
    FilingCommand("exception", "policy_exception"),
)
FILING_KINDS: Mapping[str, Kind] = {filing.name: filing.kind for filing in FILINGS}


def command(prefix: str, name: str) -> str:
    """The slash command as typed: `cs-` and `reset` make `/cs-reset`."""
    return f"/{prefix}{name}"


def field_action(name: str, type_: str) -> str:
    """The action_id of a runbook's own field. The type is part of it: text typed as a date is no text."""
    return f"{FIELD}.{type_}.{name}"


def field_of(action_id: str) -> str | None:
    """The field's name in an action_id of `field_action`; None for everything else."""
    head, _, rest = action_id.partition(".")
    _, dot, name = rest.partition(".")
    return name if head == FIELD and dot and name else None


def question(case_id: str, version: int) -> str:
    """The value of a button: request id and question version."""
    return f"{case_id}:{version}"


def read_question(value: str) -> tuple[str, int] | None:
    """Request id and version from a button's value, read leniently; None if it names no request."""
    head, _, tail = value.rpartition(":") if ":" in value else (value, "", "")
    case_id = read_request_id(head)
    if case_id is None:
        return None
    return case_id, int(tail) if tail.isascii() and tail.isdigit() and len(tail) < 10 else 0


def read_act(value: str) -> str | None:
    """The operator's act that a button names; None if it names none."""
    return _prefixed(value, PREFIX)


def read_campaign(value: str) -> str | None:
    """The campaign that a button or a command names; None if it names none."""
    return _prefixed(value.strip().upper(), CAMPAIGN)


def review_choice(index: int) -> str:
    """The action_id of the answer to an item, by its place in the campaign."""
    return f"review.{index}"


def review_reason(index: int) -> str:
    """The action_id of the reason for an item's answer."""
    return f"review_reason.{index}"


def _prefixed(value: str, prefix: str) -> str | None:
    case_id = read_request_id(value.removeprefix(prefix)) if value.startswith(prefix) else None
    return None if case_id is None else prefix + case_id.removeprefix("R-")
