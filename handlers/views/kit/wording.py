"""The texts that people read. Sentences with parameters are functions.

Words of the design: request, ask, owner, deputy, decision. It is always the *approval* that ends; whether access is gone
only a system can say. Only `sentences` answers somebody about what they just did.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.policy.model import Kind, Role, Runbook

APPROVE, DENY, WITHDRAW = "Approve", "Deny", "Withdraw"
WAS_NOT_ME = "Was not me"
FILED_BY_HOST = "Filed by the host's operator; nobody has verified the caller. Call back."
RUNBOOK, TARGET, REASON, DURATION, SUBJECT = "Runbook", "Target", "Reason", "Duration", "Whose credential"
LESS, QUESTION, HOLD, PASS = "Approve for less…", "Question", "On it", "Ask someone else"
PUSH, AGAIN, RECOMMEND, ADVISE_AGAINST = "Escalate now", "Ask again", "Recommend", "Advise against"
FINISHED, UNUSED, REVOKE, EXTEND, PERMIT = "Finished", "Not used", "Revoke", "Extend", "Permit"
RENEW, UNTIL = "Renew", "Ends on"
ADD_EVIDENCE, ATTEST, HAND_IN, EVIDENCE, NOTE = "Add evidence", "Attest", "Submit", "Evidence", "Note"
ACCEPT, FLAG = "Accept", "Flag"
GO_AWAY, COME_BACK, EARLIER, LATER = "I am away…", "I am back", "Earlier", "Later"
NOTHING_WAITS = "You're all caught up."
NOTHING_TO_DECIDE = "Nothing to decide. What is due from you is below."
REVIEWS_AFTER = "Reviews: less urgent"
RESTORE, KEEP, WITHDRAW_RIGHT = "Restore", "Keep", "Withdraw right"
LIFT, CLOSE_EXCEPTION = "Lift suspension", "Close exception"
WITHDRAW_RIGHT_MEANS = "Nobody can use this right from now on, until its runbook changes. Open access runs until its end."
RATIFY, REJECT, BREAK_GLASS = "Ratify", "Reject", "BREAK-GLASS"
RATIFY_MEANS = "*Ratify*: I accept responsibility. *Reject*: the approval is revoked at once, and a review is opened."
REJECT_MEANS = "Open access is revoked at once. The review shows your reason."
REVOKE_MEANS = "The approval ends at once and the requester is told. It cannot be taken back."
WITHDRAW_MEANS = "The request ends for everybody who was asked. It cannot be taken back; you can ask again."
EXTEND_MEANS = "The people who approved are asked again. The approval ends at its time unless they say yes."
RENEW_MEANS = "It is a new decision: the same people are asked again. It ends on its date unless they say yes."
FLAG_MEANS = "Say what was not in order. It goes into the decision log, and the domain's channel is told."
EVIDENCE_TEXT, EVIDENCE_HINT = "What it is", "The reviewer reads it, and it goes into the decision log."
METHOD, REFERENCE, DONE_AT = "How the person was verified", "Reference", "When"
REFERENCE_HINT = "Something that a third person can look up: the call's number, the name on shift, the kind of document. No document numbers."
DONE_AT_HINT = "Leave it empty if it was just now."
VERIFY_MEANS = "You confirm that you did this check. Nobody can approve until every check is confirmed."
REFERENCE_WANTED = "Write a reference, at most 200 characters."
DONE_LATER = "That time is in the future: attest only what is done."
FINISHED_NOW = "*Access ends now.* Submit the evidence here, or later with *Add evidence*."
NO_EVIDENCE_OWED = "All evidence is received. Nothing is left to do; close this page."
NOTHING_TO_ATTEST = "Everything is attested, and the owner can approve now. Close this page."
NO_TIME_LEFT = "The runbook's maximum is used up. Close this page, and ask again for new access when you need it."
OWED = "the approval has ended. Still due from you:"
ROTATION = "rotation of the shared credential"
SEALED_TITLE, RECORD = "Sealed path used", "Record"
SEALED_MEANS = (
    "Your organisation's own sealed path was used, outside Countersign and without approval. It is recorded as that, and"
    " somebody else of the domain reviews it."
)
SEALED_REVIEW = "Nobody approved this use. Was it in order?"
SEALED_WHEN, SEALED_WHO = "Say when it was used.", "Say who used it."
STOCK_REASON = "Common reasons"
PERMIT_ONCE = "It is shown once and not stored. Anybody who has it can use it: paste it into the system and nowhere else."
PERMIT_COPY, COPIED = "Copy the whole text. It is not sent back.", "Done"
SEND, OPEN_NOW, CANCEL, CLOSE = "Send request", "Open access now", "Cancel", "Close"
SEND_QUESTION = "Send question"
YES, NO = "Yes", "No"
FINDING, FINDING_NAME, REPORT = "Finding", "Report a finding", "Report"
FINDING_TEXT = "Report what must be escalated at once: an exposed credential, a change that nobody approved"
ABOUT_MESSAGE_TEXT = "Report this message as a finding; its text is not copied"
WHERE, WHAT, NOTICED, WHOSE = "Where", "What", "Noticed at", "Whose access"
WHERE_HINT = "The system, repository, account or page. Who looks for it finds it by this."
NOTICED_HINT = "When somebody noticed it. You can correct it later."
NO_SECRETS = "Never paste the secret itself."
ACKNOWLEDGE, SHARE, CORRECT, DONE = "Acknowledge", "Share with the provider", "Correct time", "What was done"
CLOSE_FINDING, CLOSE_MEANS = "Close finding", "It is closed for everybody who was asked."
CORRECT_MEANS = "When it was noticed, as you know it now. The earlier time stays in the decision log."
OUTCOME = "How it ended"
OUTCOMES: Mapping[str, str] = {
    "approved_elsewhere": "approved elsewhere", "removed": "removed", "accepted": "accepted",
}  # fmt: skip
MOMENT_WANTED = "Choose when it was noticed."
ASK_ABOUT_NAME = "Ask approval about this"  # Slack takes 24 characters at most
ASK_ABOUT_TEXT = "Ask for approval; the message's link and text become the reason's draft"
SHORTCUT_NAME, SHORTCUT_TEXT = "Ask for approval", "Ask the owner of an identity domain for approval"
BOT_NAME, BOT_TEXT = "Countersign", "The provider asks. The owner signs."

ICONS: Mapping[Kind, str] = {"emergency_access": "🚨", "reset": "🔑", "policy_exception": "📄", "finding": "🔎"}
KINDS: Mapping[Kind, str] = {
    "emergency_access": "Emergency access",
    "reset": "Reset",
    "policy_exception": "Policy exception",
    "finding": "Finding",
}
ROLES: Mapping[Role, str] = {
    "owner": "owner",
    "deputies": "deputy",
    "on_call": "on-call",
    "risk_owner": "risk owner",
}
STATES: Mapping[str, str] = {
    "pending": "pending",
    "approved": "approved",
    "opened": "opened",
    "denied": "denied",
    "expired": "expired without an answer",
    "withdrawn": "withdrawn",
    "open": "approved",
    "acknowledged": "acknowledged",
    "closed": "closed",
    "finding.unacknowledged": "finding, not acknowledged by anybody yet",
    "finding.acknowledged": "finding acknowledged",
    "finding.closed": "finding closed",
    "finished": "approval ended (finished)",
    "unused": "approval ended (not used)",
    "revoked": "approval ended (revoked)",
    "lapsed": "approval ended",
    "breakglass.ratified": "break-glass ratified",
    "breakglass.rejected": "break-glass rejected",
    "breakglass.unratified": "used without approval: break-glass not ratified in time",
    "review.overdue": "review overdue",
    "authority.overdue": "restoring overdue",
    "authority.suspended": "suspended after a reset",
    "authority.restored": "restored",
    "provider.suspended": "suspended",
    "provider.resumed": "suspension lifted",
    "right.kept": "right kept",
    "right.withdrawn": "right withdrawn",
    "review.passed": "review accepted",
    "review.flagged": "review flagged",
    "exception.renewed": "exception renewed",
    "exception.overdue": "exception of an ended contract, not closed in time",
    "sealed_use.recorded": "used without approval",
}
CAME_OF_IT: Mapping[tuple[str, str], str] = {  # the result of an ask, in one line
    ("approval", "pending"): "more approvals are needed",
    ("extension", "open"): "more approvals are needed for more time",
    ("extension", "yes"): "more time given",
    ("extension", "no"): "no more time",
    ("extension", "expired"): "no more time: too few approvals",
    ("ratification", "yes"): STATES["breakglass.ratified"],
    ("ratification", "no"): STATES["breakglass.rejected"],
    ("review", "yes"): STATES["review.passed"],
    ("review", "no"): STATES["review.flagged"],
}
FORM_TITLE, NOW_OPEN = "Ask for approval", "Access is open"
FORM_CUT = "Your text was longer than 1,000 characters and was cut to fit: read the end of the reason."
FORM_CHOOSE = "Choose a runbook to see its questions and what happens next."
FORM_REASON_HINT = "What happened, and why this is needed now. The owner decides from this."
STANDING_REASON_HINT = "What happened, and why. The owner reads it afterwards."
GLASS_REASON_HINT = "What happened, and why this cannot wait. Everybody paged and the reviewer read it."
FORM_CHANGED = "The form has changed. Choose the runbook again."

STOCK_REASONS: tuple[str, ...] = (
    "Not needed for this incident",
    "Too little information to decide",
    "Wrong target or runbook",
    "A smaller right is enough",
    "Planned work: use the change process",
    "I could not confirm who asks",
)
DENY_EITHER = "Choose a reason or write one: either is enough, and one is needed."
DENY_HINT = "The requester reads it, and it goes into the decision log."
DENY_BLANK = "Give a reason: choose one above, or write one here."
DENY_LONG = "At most 1,000 characters."
DENY_FINAL = "A no is final: it ends the request for everybody who was asked."

AWAY, BACK_ON = "Away", "Back on"
AWAY_MEANS = (
    "While you are away, your steps and the questions that wait for you go to the first deputy present, on your behalf."
    " You may still decide."
)
AWAY_LATER = "Choose a day in the future."
TEXT_WANTED = "Write something, at most 1,000 characters."
LESS_WANTED = "Choose how long."
DAY_WANTED = "Choose the last day."
ADVICE_IS_NO_DECISION = "Advice is shown to the owner. It is never a decision."
YOUR_ADVICE: Mapping[str, str] = {"for": "You recommend it.", "against": "You advise against it.", "": ""}

BODY_ENDS = "Press Finished when you are done. The approval ends by itself at its time."
FILED = "Updates arrive in your direct messages. You can withdraw there."
FILED_FINDING = "Updates arrive in your direct messages."
FILED_OPEN = "Updates arrive in your direct messages, with the buttons that end it."
SUSPENDED = "Your authority here is suspended until somebody accountable presses Restore. You may still say no."
NO_ANSWER_NEEDED = "no answer is needed any more."
SOMEBODY_ELSE = "You can't answer this one: somebody else is asked."
FILED_WAIT = "Asking the people who decide …"


def consequence(runbook: Runbook, owner: str, more: str, debt: str | None, ratify_by: str) -> str:
    """What happens after the form is sent. `owner` and `more` are mentions; `debt` is why a break-glass opens nothing."""
    if runbook.right == "autonomous":
        often = "each time" if runbook.tell == "each" else "once a day"
        unless = (
            f" If the person holds authority here, access opens only after {owner} approves."
            if runbook.kind == "reset"
            else ""
        )
        return f"You may do this now; nobody is asked. It is logged, and {owner} is told {often}.{unless}"
    if runbook.break_glass is not None and debt is None:
        return f"*{BREAK_GLASS}.* Opens now, and everybody is told; {owner} must ratify by {ratify_by}."
    if debt is not None:
        return f"{debt} {owner}, the deputies and the on-call are asked at once."
    if runbook.right == "immediate":
        return f"Access opens only after somebody approves. {owner}, the deputies and the on-call are asked at once."
    if runbook.approvals > 1:
        among = f"; {more} must be one" if more else ""
        return f"{_number(runbook.approvals)} approvals needed: {owner} first{among}."
    return f"Access opens only after {owner} approves."


def _number(count: int) -> str:
    """A small number as the first word of a sentence."""
    return ("Zero", "One", "Two", "Three", "Four", "Five", "Six")[count] if count <= 6 else str(count)


def braked(nth: int, until: str) -> str:
    """Nobody is paged, because the requester has woken enough people; `nth` waking in ten minutes of policy time."""
    ending = "th" if nth % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(nth % 10, "th")
    return f"{nth}{ending} in 10 minutes: nobody is paged again before {until}."


def until_hint(days: int) -> str:
    """The hint under the date picker of the last day."""
    return f"The last day, in UTC; at most {days} days from today." if days else "The last day, in UTC; today at most."


def before_it_opens(runbook: Runbook, wait: str) -> str:
    """What a reset needs in addition to an approval; `wait` is when its cooling-off period ends, if it is sent now."""
    proof = " First, confirm how the person was verified." if runbook.subject_verification else ""
    cooling = f" If approved, access starts at {wait} at the earliest." if runbook.not_before else ""
    return proof + cooling


def help_lines(prefix: str) -> tuple[str, ...]:
    """The commands that can be typed."""
    main = f"/{prefix}countersign"
    return (
        f"{ICONS['emergency_access']} `/{prefix}breakglass [runbook] [reason …]` asks for emergency access",
        f"{ICONS['reset']} `/{prefix}reset [runbook] [reason …]` asks for a reset of a credential or a second factor",
        f"{ICONS['policy_exception']} `/{prefix}exception [runbook] [reason …]` asks for an exception from policy",
        f"`{main}` shows what waits for you",
        f"`{main} ask [runbook] [reason …]` opens the form with everything that you may ask for",
        f"`{main} finding [runbook] [text]` reports what must be escalated at once: no access is asked for",
        f"`{main} queue` shows all open requests of your domains, or of your provider",
        f"`{main} mine` shows what you asked for",
        f"`{main} show ID` shows one request",
        f"`{main} log [ID]` shows who did what and when for one request (`log ID proof`: types and hashes); without ID, the newest requests",
        f"`{main} post` puts the button “Ask for approval” into this channel (people of the home workspace)",
        f"`{main} review` shows what is due from you: reviews, ratifications, evidence, with their buttons",
        f"`{main} sealed-use` records that the organisation's own sealed path was used (people named for a domain)",
        f"`{main} exceptions` shows the register of policy exceptions",
        f"`{main} report provider`, `report owner [month]` shows a month's figures (leads, owners, auditors)",
        f"`{main} away 2d`, `away until 2026-12-01`, `away off`: your steps go to a deputy meanwhile",
        f"`{main} matrix` shows who answers for what",
        f"`{main} whoami [@people]` prints lines to paste into the responsibility matrix",
    )
