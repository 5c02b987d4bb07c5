"""The owner's card and the requester's receipt, pinned where a decision hangs on the words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.case.ask import Remark, Vote
from bot.domain.case.lifecycle import GrantState
from bot.domain.case.model import Case
from bot.domain.policy.model import FieldSpec, Policy
from bot.domain.policy.people import Person
from bot.domain.workflow import timers
from bot.domain.workflow.asks import approval
from bot.domain.workflow.timeline import Moment, ahead
from handlers.views import facts
from handlers.views.approval_card import card
from handlers.views.grant import ending
from handlers.views.kit.context import ViewContext, span
from handlers.views.kit.preview import GLANCE, glance
from handlers.views.kit.time_scale_mark import marked_once
from handlers.views.receipt import announcement, body_of, outcome, receipt, status, taken
from tests.bot.building import (
    DEP1,
    DEP2,
    HERE,
    HOUR,
    MINUTE,
    OWNER,
    PE1,
    RISK,
    T0,
    TICKET,
    after,
    away,
    case_of,
    click,
    decide,
    policy,
    profile,
    runbook,
)

CASES = Path(__file__).parents[2] / "cases"
BASE = policy()


def scene(base: Policy = BASE, minutes: float = 0, scale: float = 1) -> ViewContext:
    return ViewContext(base, T0 + timedelta(minutes=minutes), scale)


def texts(message: Any) -> list[str]:
    """Every text of a message's blocks, in order."""
    return [
        b["text"]["text"] if "text" in b else b["elements"][0]["text"] for b in message.blocks if b["type"] != "actions"
    ]


def labels(message: Any) -> list[str]:
    return [e["text"]["text"] for b in message.blocks if b["type"] == "actions" for e in b["elements"]]


def decided(case: Case, person: Person, action: str = "approve", base: Policy = BASE) -> Case:
    how = click(person) if action == "approve" else click(person, action, reason="Use <the> read-only\naccount")
    return after(decide(case, base, how, profile(person), T0 + MINUTE))


def test_a_card_says_all_that_a_decision_needs() -> None:
    case = case_of(BASE, "ticketed", fields={"ticket": "INC7"}, target="dc-core-01", reason="Sync stopped\nat noon")
    drawn = card(case, OWNER, replace(scene(), ahead={case.id: ahead(case, BASE, HERE)}))
    expires = int((T0 + 45 * MINUTE).timestamp())
    deputies = int((T0 + 5 * MINUTE).timestamp())
    shown = texts(drawn)
    assert [*shown[:3], shown[-1]] == [
        "*🚨 The ticketed runbook*\n<@U0PE1> of *Northgate* asks for *1 hour*",
        "*Target:* dc-core-01\n*Incident ticket:* INC7\n*Reason:*\n>Sync stopped\n>at noon",
        "Without an answer, <@U0DEP1>, <@U0DEP2> will be asked at"
        f" <!date^{deputies}^{{time}}|2026-03-04 09:05 UTC>; at <!date^{expires}^{{time}}|2026-03-04 09:45 UTC>"
        " the request expires and nothing opens.",
        "Request R-00000001",
    ]
    buttons = next(b for b in drawn.blocks if b["type"] == "actions")["elements"]
    assert [(b["text"]["text"], b.get("style"), b["value"]) for b in buttons[:2]] == [
        ("Approve", "primary", "R-00000001:1"),
        ("Deny", "danger", "R-00000001:1"),
    ]


def test_a_locked_phone_shows_provider_runbook_duration_and_deadline() -> None:
    case = case_of(BASE)
    assert card(case, OWNER, scene()).text.startswith("Northgate: The emergency runbook, 1 hour, by 09:45 UTC\n")
    long = replace(case, request=replace(case.request, title="An emergency administrator " * 8))
    named = replace(BASE, providers={"northgate": replace(BASE.providers["northgate"], name="Northgate Managed Identity")})
    shown = glance(long, scene(named))
    assert shown.startswith("Northgate Managed Identity: An emergency administrator")
    assert shown.endswith("…, 1 hour, by 09:45 UTC")
    assert len(shown) == GLANCE


def test_the_plain_text_is_complete() -> None:
    case = case_of(BASE, "ticketed", fields={"ticket": "INC7"}, target="dc-core-01", reason="Sync stopped")
    text = card(case, OWNER, scene()).text
    for part in ("R-00000001", "<@U0PE1>", "dc-core-01", "INC7", "Sync stopped", "expires and nothing opens"):
        assert part in text


def test_once_decided_every_copy_shows_the_outcome_and_has_no_decision_button() -> None:
    case = case_of(BASE)
    denied = decided(case, OWNER, "deny")
    approved = decided(case, OWNER)
    for now, word in ((approved, "*Approved* by <@U0OWNER>"), (denied, "*Denied* by <@U0OWNER>")):
        for reader in (OWNER, DEP1):
            drawn = card(now, reader, scene(minutes=2))
            assert not {"Approve", "Deny"} & set(labels(drawn))
            assert any(text.startswith(word) for text in texts(drawn))
            assert drawn.text.startswith(word)
        assert "Withdraw" not in labels(receipt(now, scene(minutes=2)))
        assert word in "\n".join(texts(receipt(now, scene(minutes=2))))


def test_who_clicked_is_named_and_for_whom_never_who_was_asked() -> None:
    case = case_of(BASE, presence=away(U0OWNER="absent"))
    drawn = card(case, DEP1, scene())
    assert "You are asked *on behalf of* <@U0OWNER>." in texts(drawn)[2]
    assert "on behalf of" not in texts(card(case, OWNER, scene()))[2]
    assert facts.outcome(decided(case, DEP1), scene()).startswith("*Approved* by <@U0DEP1> on behalf of <@U0OWNER> at ")


def test_the_risk_owner_who_signs_as_such_deputises_for_nobody() -> None:
    risk = Vote(RISK, "yes", "risk_owner", T0, 3600, on_behalf_of=OWNER)
    assert facts.voter(risk) == "<@U0RISK>"
    assert facts.voter(replace(risk, person=DEP1, role="deputies")) == "<@U0DEP1> on behalf of <@U0OWNER>"


def test_two_yeses_are_counted_and_the_one_that_lacks_is_named() -> None:
    case = case_of(BASE, "double")
    assert "*0 of 2 approvals*. Still needed: the risk owner <@U0RISK>." in texts(card(case, OWNER, scene()))[2]
    first = decided(case, OWNER)
    mine = texts(card(first, OWNER, scene()))[2]
    assert "*1 of 2 approvals* (<@U0OWNER>). Still needed: the risk owner <@U0RISK>." in mine
    assert "You said yes at " in mine
    assert labels(card(first, RISK, scene()))[:2] == ["Approve", "Deny"]
    assert "*Approved* by <@U0OWNER>" in facts.outcome(decided(first, RISK), scene())
    assert "<@U0RISK>" in facts.outcome(decided(first, RISK), scene())


def test_a_fast_clock_is_marked_once_on_every_message_with_times() -> None:
    case = case_of(BASE)
    drawn = card(case, OWNER, replace(scene(scale=15), ahead={case.id: ahead(case, BASE, HERE)}))
    assert "\n".join(texts(drawn)).count("(demo clock 15×)") == 3
    said = marked_once(drawn, scene(scale=15))
    assert "\n".join(texts(said)).count("(demo clock 15×)") == 1
    assert "for *1 hour (demo clock 15×)*" in texts(said)[0]
    assert said.text.count("(demo clock 15×)") == 1
    assert [b["type"] for b in said.blocks] == [b["type"] for b in drawn.blocks]
    assert marked_once(card(case, OWNER, scene()), scene()) == card(case, OWNER, scene())
    assert "demo clock" not in "\n".join(texts(card(case, OWNER, scene())))


def test_it_is_the_approval_that_ends_never_access_that_is_removed() -> None:
    case = decided(case_of(BASE), OWNER)
    lapsed = after(timers.sweep(case, BASE, HERE, T0 + 2 * HOUR, 1))
    for said in (facts.outcome(lapsed, scene()), outcome(lapsed, None, scene()).text):
        assert "approval" in said
        assert "*Ended* at" in said
        assert "access" not in said
        assert "removed" not in said


def test_the_requester_is_mentioned_and_reads_the_reason_of_a_no() -> None:
    case = decided(case_of(BASE), OWNER, "deny")
    told = outcome(case, None, scene())
    assert told.text.startswith("<@U0PE1> R-00000001 · 🚨 The emergency runbook\n*Denied* by <@U0OWNER> at ")
    assert told.text.endswith("*Reason:*\n>Use &lt;the&gt; read-only\n>account")
    assert labels(told) == ["Ask again"]
    assert labels(receipt(case, scene())) == []  # the newest message has it


def test_an_end_is_said_once_and_what_is_due_stands_on_the_newest_message_only() -> None:
    over = after(timers.sweep(decided(case_of(BASE), OWNER), BASE, HERE, T0 + 2 * HOUR, 1))
    newest, older = outcome(over, None, scene()), outcome(over, None, scene(), told_later=True)
    assert older.text.split("\n")[1] == newest.text.split("\n")[1]
    assert "*Ended* at" in older.text
    assert labels(older) == []
    assert facts.outcome(over, scene()).count("ended") + facts.outcome(over, scene()).count("Ended") == 1


def test_a_no_shows_its_reason_on_the_receipt_and_on_the_cards() -> None:
    denied = decided(case_of(BASE), OWNER, "deny")
    for drawn in (receipt(denied, scene()), card(denied, OWNER, scene())):
        assert "*Reason:*\n>Use &lt;the&gt; read-only\n>account" in "\n".join(texts(drawn))
        assert drawn.text.endswith("*Reason:*\n>Use &lt;the&gt; read-only\n>account")
    assert "read-only" not in str(announcement(denied, scene()).blocks)


def test_a_reason_that_an_older_version_left_in_its_row_is_shown() -> None:
    case = decided(case_of(BASE), OWNER, "deny")
    before = case.with_approval(replace(case.approval, notes=()))
    assert outcome(before, None, scene(), "Not now").text.endswith("*Reason:*\n>Not now")
    assert "Reason" not in outcome(before, None, scene()).text


ENDS = {
    "revoked": "*REVOKED* by <@U0OWNER> at ",
    "finished": "*Finished*, reported by <@U0PE1> at ",
    "unused": "*Not used*",
}


@pytest.mark.parametrize(("state", "word"), ENDS.items())
def test_every_message_that_said_access_is_open_says_first_how_it_ended(state: str, word: str) -> None:
    case = decided(case_of(BASE), OWNER)
    assert case.grant is not None
    by = OWNER if state == "revoked" else PE1
    over = replace(case, grant=replace(case.grant, state=GrantState(state), ended_at=T0 + 5 * MINUTE, ended_by=by))
    now, body = scene(minutes=6), b"---\nid: x\n---\nRestart the sync.\n"
    assert "Finished" in labels(outcome(case, body, now))
    drawn = outcome(over, body, now)
    assert word in drawn.text
    assert word in str(drawn.blocks)
    assert "Restart the sync" not in str(drawn.blocks)
    for message in (drawn, receipt(over, now), card(over, OWNER, now)):
        assert not {"Finished", "Not used", "Permit", "Revoke", "Extend"} & set(labels(message))
        assert "holds" not in str(message.blocks) + message.text
    assert texts(card(over, OWNER, now))[2].startswith(word)
    if state == "revoked":
        assert "Stop work." in drawn.text


def test_a_grant_whose_time_is_over_is_not_called_open_before_the_sweep() -> None:
    case = decided(case_of(BASE), OWNER)
    late = scene(minutes=62)
    assert "*Ended* at" in outcome(case, b"x", late).text
    assert "holds" not in facts.outcome(case, late)


def test_nobody_is_offered_a_second_yes() -> None:
    first = decided(case_of(BASE, "double"), OWNER)
    assert labels(card(first, OWNER, scene())) == ["Deny", "Question", "On it", "Ask someone else"]
    assert labels(card(first, RISK, scene()))[:3] == ["Approve", "Deny", "Approve for less…"]


def test_anyone_who_asked_somebody_else_is_not_offered_it_again() -> None:
    case = case_of(BASE)
    passed = case.with_approval(replace(case.approval, notes=(Remark("pass", OWNER, T0),)))
    assert "Ask someone else" not in labels(card(passed, OWNER, scene()))
    assert "Ask someone else" in labels(card(passed, DEP1, scene()))


def test_withdraw_asks_once_and_revoke_in_red() -> None:
    case = case_of(BASE)
    [row] = [b for b in receipt(case, scene()).blocks if b["type"] == "actions"]
    assert row["elements"][0]["confirm"]["style"] == "danger"
    open_ = card(decided(case, OWNER), OWNER, scene(minutes=2))
    [revoke] = [e for b in open_.blocks if b["type"] == "actions" for e in b["elements"]]
    assert (revoke["text"]["text"], revoke["confirm"]["style"]) == ("Revoke", "danger")


def test_escalate_now_goes_when_nobody_is_left_to_ask() -> None:
    case = case_of(BASE)
    expires = Moment(case.approval.expires_at, "expire")
    more = (Moment(T0 + 5 * MINUTE, "ask", "deputies", (DEP1,)), expires)
    assert labels(receipt(case, replace(scene(), ahead={case.id: more}))) == ["Withdraw", "Escalate now"]
    assert labels(receipt(case, replace(scene(), ahead={case.id: (expires,)}))) == ["Withdraw"]


def test_the_receipt_shows_who_is_on_it_who_was_skipped_and_what_was_escalated() -> None:
    case = case_of(BASE, presence=away(U0OWNER="deactivated"))
    notes = (Remark("hold", DEP1, T0 + MINUTE), Remark("push", PE1, T0 + 2 * MINUTE, "It burns"))
    told = "\n".join(texts(receipt(case.with_approval(replace(case.approval, notes=notes)), scene())))
    assert "Owner <@U0OWNER>: skipped (account deactivated)." in told
    assert "*<@U0DEP1> is on it*, <!date^" in told
    assert "You escalated at <!date^" in told


def test_an_open_request_of_others_is_mentioned_without_anything_that_passes() -> None:
    said = taken(decided(case_of(BASE), OWNER), scene()).text
    assert "approved by <@U0OWNER> at " in said
    assert "holds" not in said


def test_the_channels_line_says_who_decided_until_when_and_how_it_ended() -> None:
    case = decided(case_of(BASE), OWNER)
    assert "approved by <@U0OWNER>, until <!date^" in announcement(case, scene()).text
    over = after(timers.sweep(case, BASE, HERE, T0 + 2 * HOUR, 1))
    assert "approval ended at <!date^" in announcement(over, scene(minutes=120)).text
    assert announcement(over, scene(), "review.overdue").text.endswith("review overdue")


def test_the_receipt_says_who_is_asked_and_who_next_and_when() -> None:
    case = case_of(BASE)
    said = status(case, replace(scene(), ahead={case.id: ahead(case, BASE, HERE)}))
    assert said.startswith("*Pending.* Asked: <@U0OWNER>. Without an answer, <@U0DEP1>, <@U0DEP2> will be asked at ")
    assert labels(receipt(case_of(BASE), scene()))[0] == "Withdraw"


def test_after_the_yes_the_runbooks_body_is_shown_as_it_was_approved() -> None:
    case = decided(case_of(BASE), OWNER)
    content = "\ufeff---\r\nid: x\r\n---\r\n## Before\r\n1. Do *it* & <this>\r\n".encode()
    drawn = outcome(case, content, scene())
    assert [b["text"] for b in drawn.blocks if b["type"] == "markdown"] == ["## Before\n1. Do *it* & <this>"]
    assert "until <!date^" in drawn.text
    assert "SHA-256" in outcome(case, None, scene()).text
    assert labels(drawn) == labels(outcome(case, None, scene())) == ["Finished", "Not used", "Permit"]


def test_a_file_without_front_matter_is_all_body() -> None:
    assert body_of(b"plain\n---\ntext\n") == "plain\n---\ntext"
    assert body_of(b"---\nno end") == "---\nno end"


def test_a_person_becomes_a_mention_only_in_a_field_that_asks_for_a_person() -> None:
    person = FieldSpec("who", "Caller", "person")
    base = policy(runbooks=[runbook("asks", fields=(person, TICKET))])
    case = case_of(base, "asks", fields={"who": "U0DEP2", "ticket": "INC1"})
    assert "*Caller:* <@U0DEP2>" in facts.asked_for(case, scene(base))
    typed = policy(runbooks=[runbook("asks", fields=(replace(person, type="text"), TICKET))])
    assert "*Caller:* U0DEP2" in facts.asked_for(
        case_of(typed, "asks", fields={"who": "U0DEP2", "ticket": "INC1"}), scene(typed)
    )
    moved_on = policy(runbooks=[runbook("asks", fields=(person, TICKET), sha256="ef" * 32)])
    assert "*Caller:* U0DEP2" in facts.asked_for(case, scene(moved_on))


def test_durations_are_words() -> None:
    assert [span(s) for s in (0, 1, 90, 900, 3600, 5400, 86400, 90061)] == [
        "0 seconds", "1 second", "1 minute 30 seconds", "15 minutes", "1 hour", "1 hour 30 minutes", "1 day",
        "1 day 1 hour 1 minute 1 second",
    ]  # fmt: skip


def test_a_request_denied_on_the_host_names_nobody() -> None:
    case = case_of(BASE)
    act = approval.deny_on_host(case, BASE, "Slack is down", T0 + MINUTE)
    assert facts.outcome(act.after, scene()).startswith("*Denied* on the host at ")  # type: ignore[union-attr, arg-type]


def test_everybody_asked_is_listed_once() -> None:
    case = after(timers.sweep(case_of(BASE), BASE, HERE, T0 + 15 * MINUTE, 1))
    assert facts.asked_now(case, scene()).count("<@") == len({OWNER, DEP1, DEP2, RISK}) + 1


def test_the_first_ask_is_called_the_first() -> None:
    case = case_of(BASE)
    assert "Northgate asked for this for the first time this week." in "\n".join(texts(card(case, OWNER, scene())))
    more = replace(case, request=replace(case.request, asks_before=1, last_outcome="denied"))
    assert "Northgate asked for this 1 other time this week (latest: denied)." in "\n".join(
        texts(card(more, OWNER, scene()))
    )


def test_a_target_of_two_scripts_is_pointed_out_on_the_card() -> None:
    case = case_of(BASE)
    mixed = replace(case, request=replace(case.request, target="svс-ledger"))
    assert "*Look twice:* svс-ledger (Cyrillic and Latin) mixes letters that look alike." in str(
        card(mixed, OWNER, scene()).blocks
    )
    assert "Look twice" not in str(card(case, OWNER, scene()).blocks)


def test_case_body_tabs() -> None:
    written = (CASES / "body-tabs" / "runbook-body.md").read_bytes()
    told = outcome(decided(case_of(BASE), OWNER), b"---\r\nid: x\r\n---\r\n" + written, scene())
    [shown] = [block["text"] for block in told.blocks if block["type"] == "markdown"]
    assert shown == written.decode().strip("\n")
    assert "\tcut -d'\t' -f2 accounts.tsv" in shown


def test_access_that_nobody_approved_is_open_and_an_approval_holds() -> None:
    case = decided(case_of(BASE), OWNER)
    assert "The approval holds for" in facts.outcome(case, scene())
    alone = replace(case, request=replace(case.request, right="autonomous"))
    assert "Access is open for" in facts.outcome(alone, scene())


def test_the_warning_before_the_end_says_what_to_do() -> None:
    case = decided(case_of(BASE), OWNER)
    assert case.grant is not None
    warned = replace(case, grant=replace(case.grant, warned=True))
    assert ending(warned, scene(minutes=50)).text.endswith(". Stop work then.")
    longer = replace(warned, grant=replace(case.grant, warned=True, seconds=1800))
    assert " Press *Extend* if you need longer. Stop work then." in ending(longer, scene(minutes=20)).text


def test_what_ended_early_says_why_once_and_never_that_its_time_is_over() -> None:
    suspended = replace(BASE, standing=replace(BASE.standing, providers=frozenset({("northgate", "directory")})))
    for case, begins in ((decided(case_of(BASE), OWNER), "*Ended early* at "), (case_of(BASE), "*Expired* at ")):
        over = after(timers.sweep(case, suspended, HERE, T0 + 10 * MINUTE, 1))
        for said in (facts.outcome(over, scene()), outcome(over, None, scene()).text, receipt(over, scene()).text):
            assert begins in said
            assert said.count("Northgate is suspended in Corporate directory.") == 1
            assert "time is over" not in said
            assert "without an answer" not in said
        assert "without an answer" not in announcement(over, scene()).text
