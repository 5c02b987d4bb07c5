"""What broke elsewhere, tried on us: one running bot and everybody who should not get a yes.

Each test is named after a fault that a similar system shipped. Every click here is a payload as Slack signs it, but one
that Slack's own client would never send.
"""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from bot.demo.workspace import workspace
from bot.service.approvals import DECISION_AGE
from runbooks.loader import load
from sandbox.driver import Sandbox
from tests.end_to_end.conftest import EXAMPLE, Bot, HttpBot
from tests.end_to_end.ground import HOME, TICKET, Ground, free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Beside the example: a runbook that two people must allow and two that ask everybody at once; the first deputy of the
# directory and its risk owner are one human with two accounts (the loader refuses such a pair within one role).
PAIR = """---
id: {id}
title: {id}
kind: reset
domain: {domain}
providers: [northgate]
right: immediate
approvals: {approvals}
{more}max_duration: 4h
default_duration: 1h
escalation: standard
fields:
  - {{name: at, label: When, type: datetime}}
  - {{name: who, label: Whom, type: person}}
---
Do it.
"""
DECIDERS = ("U0OWNER", "U0DEP1", "U0DEP2", "U0RISK", "U0NHI", "U0VAULT", "U0NDEP2")
OWNERS_BUTTONS = ("approve", "deny", "approve_less", "question", "on_it", "pass")
ASKERS_BUTTONS = ("withdraw", "answer", "escalate_now", "ask_again")
LEADS_BUTTONS = ("recommend", "advise_against")
PACED = 60.0  # seconds: new messages in one conversation are a second apart, and these tests write many
EVERY_BUTTON = (*OWNERS_BUTTONS, *ASKERS_BUTTONS, *LEADS_BUTTONS)


async def opened(transport: str, home: Any, scale: float) -> tuple[Bot, Sandbox]:
    shutil.copytree(EXAMPLE, home / "runbooks", ignore=shutil.ignore_patterns("*.py", "__pycache__", "py.typed"))
    for name, domain, approvals in (("pair", "directory", 2), ("everybody", "machines", 1), ("at-once", "directory", 1)):
        more = "requires: [risk_owner]\n" if name == "pair" else ""
        text = PAIR.format(id=name, domain=domain, approvals=approvals, more=more)
        (home / "runbooks" / f"{name}.md").write_text(text)
    matrix = home / "runbooks" / "responsibility.yaml"
    matrix.write_text(matrix.read_text() + "\nsame_person: [[U0DEP1, U0RISK]]\n")
    loaded = load(home / "runbooks")
    assert loaded.policy is not None, loaded.findings
    people = workspace(loaded.policy, int(scale))
    people["users"].append({"id": "U0TWIN", "name": "olga", "real_name": "Olga Novak", "team_id": HOME})
    if transport == "http":
        people["app"]["request_url"] = f"http://127.0.0.1:{free_port()}/slack/events"
    sandbox = Sandbox(people)
    await sandbox.__aenter__()
    bot = (HttpBot if transport == "http" else Bot)(sandbox, home, scale)
    await bot.start()
    return bot, sandbox


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["socket", "http"])
async def running(request: Any, tmp_path_factory: Any) -> AsyncIterator[Ground]:
    """One bot for all of these tests, once a transport."""
    bot, sandbox = await opened(request.param, tmp_path_factory.mktemp(request.param), 1)
    yield Ground(bot)
    code = await bot.stop()
    await sandbox.__aexit__(None, None, None)
    assert code == 0, bot.log()


@pytest_asyncio.fixture(loop_scope="module")
async def ground(running: Ground) -> AsyncIterator[Ground]:
    """The bot with nothing pending; after each test everything that must hold is looked at."""
    yield running
    running.sandbox.faults.clear()
    await running.tidy()
    await running.worked()
    running.holds(DECIDERS)


async def assert_refused(ground: Ground, case: str, who: str, action: str, value: str, **changed: Any) -> str:
    """One click that must not count: answered once, entered once, and nothing else. Why."""
    before, kinds = len(ground.refusals()), ground.kinds(case)
    outcome = await ground.click(who, action, value, **changed)
    assert outcome.acked, (who, action, outcome.error, outcome.response)
    assert outcome.seconds < 3
    await ground.until(lambda: ground.answers(outcome))
    await ground.worked()
    added = ground.refusals()[before:]
    assert len(added) == 1, (who, action, added)
    assert ground.answers(outcome) == 1
    assert ground.account(added[0]["actor"]["ref"]) == who
    assert [k for k in ground.kinds(case) if k != "decision.refused"] == [k for k in kinds if k != "decision.refused"]
    assert ground.sandbox.modal(who) is None, (who, action)
    return str(added[0]["data"]["why"])


def acts(ground: Ground) -> list[str]:
    """What people brought about; the bot's own entries (deliveries, rights that begin) come when they come."""
    return [kind for kind in ground.kinds() if kind.startswith(("request.", "grant."))]


def buttons_against(who: str) -> tuple[str, ...]:
    """What this person must not get anywhere with, on a request of U0PE1 that waits for its owner."""
    if who == "U0PE1":
        return (*OWNERS_BUTTONS, *LEADS_BUTTONS)
    if who == "U0PLEAD":
        return (*OWNERS_BUTTONS, "answer", "escalate_now", "ask_again")
    return (*ASKERS_BUTTONS, *LEADS_BUTTONS) if who == "U0OWNER" else EVERY_BUTTON


@pytest.mark.parametrize(
    "who",
    [
        "U0PE1", "U0PE2", "U0PLEAD", "U0SOC1", "U0SOCLEAD", "U0KH1", "U0GUEST", "U0GONE", "U0OUTSIDE", "U0ADMIN", "U0BOT",
        "U0AUDIT", "U0CLIN", "U0DEP2", "U0ONC1", "U0ONC2", "U0RISK", "U0TWIN", "U0NOBODY", "U0OWNER",
    ],
)  # fmt: skip
async def test_anyone_could_press_a_button_that_was_not_theirs(ground: Ground, who: str) -> None:
    case = await ground.filed()
    user = ground.sandbox.world.user(who)
    if user is None:
        ground.sandbox.faults.refuse("users.info", "user_not_found", 1000)
    for action in buttons_against(who):
        value = f"{case}:1"
        if user is None and action in (*OWNERS_BUTTONS,):
            outcome = await ground.click(who, action, value)  # Slack does not know them: never a yes
            await ground.until(lambda o=outcome: ground.answers(o))
            continue
        await assert_refused(ground, case, who, action, value, team=user.team_id if user else HOME)
    assert ground.state(case) == "pending"


@pytest.mark.parametrize("team", ["T0PROV", "T0ELSE", "T0PAM", "E0GRID"])
async def test_the_owners_user_id_in_another_workspace_signed(ground: Ground, team: str) -> None:
    case = await ground.filed()
    for action in ("approve", "deny", "on_it"):
        await assert_refused(ground, case, "U0OWNER", action, f"{case}:1", team=team)
    for action in ("withdraw", "escalate_now", "ask_again"):
        await assert_refused(ground, case, "U0PE1", action, f"{case}:1", team=team)


@pytest.mark.parametrize("who", ["U0OUTSIDE", "U0KH1"])
async def test_a_payload_that_lies_about_the_team_was_trusted(ground: Ground, who: str) -> None:
    case = await ground.filed()
    for user in ({"id": who, "team_id": HOME}, {"id": who}, {"id": who, "team_id": 7}, {"id": who, "team_id": ""}):
        payload = {"user": user}
        if not isinstance(user.get("team_id", ""), str):
            continue  # turned away at the door, over both transports
        await assert_refused(ground, case, who, "approve", f"{case}:1", **payload)


async def test_a_display_name_carried_authority(ground: Ground) -> None:
    case = await ground.filed()
    olga, priya = ground.sandbox.person("U0OWNER"), ground.sandbox.person("U0PE2")
    before = (priya.name, priya.real_name)
    priya.name, priya.real_name = olga.name, olga.real_name
    user = {"id": "U0PE2", "username": olga.name, "name": olga.name, "team_id": HOME, "email": "olga@example.org"}
    assert await assert_refused(ground, case, "U0PE2", "approve", f"{case}:1", user=user) == "party"
    priya.name, priya.real_name = before


async def test_one_human_with_two_accounts_was_counted_twice(ground: Ground) -> None:
    case = await ground.filed(runbook="pair", field_x="")
    for user in ("U0DEP1", "U0RISK"):
        outcome = await ground.click(user, "approve", f"{case}:1")
        assert outcome.ok
        await ground.worked()
    assert "grant.opened" not in ground.kinds(case)
    assert ground.state(case) == "pending"
    await ground.click("U0OWNER", "approve", f"{case}:1")
    await ground.until(lambda: ground.state(case) == "approved")
    last = [e for e in ground.entries(case) if e["type"] == "request.approved"][-1]
    assert last["data"]["have"] == 2


async def test_one_person_said_yes_twice_and_it_counted_as_two(ground: Ground) -> None:
    case = await ground.filed(runbook="pair", field_x="")
    await ground.click("U0DEP2", "approve", f"{case}:1")
    await ground.until(lambda: "request.approved" in ground.kinds(case))
    for _ in range(3):
        await assert_refused(ground, case, "U0DEP2", "approve", f"{case}:1")
    assert ground.state(case) == "pending"


async def test_an_account_that_changed_between_card_and_click_decided(ground: Ground) -> None:
    case = await ground.filed(runbook="everybody", field_x="")
    rows = ground.bot.rows("SELECT user_id FROM reached WHERE case_id = ?", case)
    asked = [row[0] for row in rows]
    changes = [
        ("deleted", True),
        ("is_restricted", True),
        ("is_bot", True),
        ("is_ultra_restricted", True),
        ("team_id", "T0ELSE"),
        ("is_stranger", True),
    ]
    assert len(asked) >= 4
    before = {}
    for who, (key, value) in zip(asked, changes, strict=False):
        person = ground.sandbox.person(who)
        before[who] = (key, getattr(person, key))
        setattr(person, key, value)
    await asyncio.sleep(DECISION_AGE + 0.1)  # what was known of an account counts for so long, and no longer
    try:
        for who in before:
            assert await assert_refused(ground, case, who, "approve", f"{case}:1") == "unauthorised", who
            await assert_refused(ground, case, who, "deny", f"{case}:1")
    finally:
        for who, (key, value) in before.items():
            setattr(ground.sandbox.person(who), key, value)
    await asyncio.sleep(DECISION_AGE + 0.1)
    await ground.click(asked[0], "approve", f"{case}:1")
    await ground.until(lambda: ground.state(case) == "approved")


async def test_a_failed_group_look_up_was_trusted(ground: Ground) -> None:
    case, faults = await ground.filed(), ground.sandbox.faults
    await asyncio.sleep(DECISION_AGE + 0.1)  # so that the click is what asks Slack
    before = len(ground.refusals())

    async def again(user: str) -> None:
        outcome = await ground.click(user, "approve", f"{case}:1")
        assert outcome.ok
        await ground.until(lambda: ground.answers(outcome))
        assert ground.state(case) == "pending"

    faults.fail("users.info", 100)
    await again("U0OWNER")
    assert len(ground.refusals()) == before
    await again("U0OUTSIDE")  # no policy names this id: refused without a look-up, whatever Slack would say
    faults.clear()
    faults.refuse("users.info", "user_not_found", 100)
    await again("U0OWNER")
    faults.clear()
    faults.lose_answer("users.info", 100)
    await again("U0OWNER")
    faults.clear()
    faults.slow["users.info"] = 6.0
    await again("U0OWNER")
    faults.clear()
    faults.rate_limit("users.info", 100, retry_after=1)
    await again("U0OWNER")
    faults.clear()
    refused = [(ground.account(e["actor"]["ref"]), e["data"]["why"]) for e in ground.refusals()[before:]]
    assert refused == [("U0OUTSIDE", "unauthorised")]

    async def pressed_again() -> bool:
        await ground.click("U0OWNER", "approve", f"{case}:1")
        await ground.worked()
        return ground.state(case) == "approved"

    assert await pressed_again() or await pressed_again() or (await asyncio.sleep(1.1), await pressed_again())[1]
    assert ground.kinds(case).count("request.approved") == 1


async def test_connect_users_could_drive_the_bot(ground: Ground) -> None:
    case = await ground.filed(target="dc-hidden-41")
    requests, kinds = ground.requests(), ground.kinds()
    for text in ("", "help", "queue", "mine", f"show {case}", case, f"log {case}", "matrix", "whoami", "post", "ask"):
        outcome = await ground.command("U0OUTSIDE", "/countersign", text, team="T0ELSE")
        assert outcome.ok, text
        await ground.until(lambda o=outcome: ground.answers(o))
    for command in ("/breakglass", "/reset", "/exception"):
        outcome = await ground.command("U0OUTSIDE", command, "directory-admin-emergency now", team="T0ELSE")
        await ground.until(lambda o=outcome: ground.answers(o))
    said = " ".join(m.shown + m.text for m in ground.sandbox.messages("U0OUTSIDE"))
    assert "dc-hidden-41" not in said
    assert "Sync stopped" not in said
    assert "U0OWNER" not in said
    assert (ground.requests(), ground.kinds()) == (requests, kinds)


@pytest.mark.parametrize("who", ["U0OWNER", "U0DEP1", "U0OUTSIDE"])
async def test_a_stranger_by_slack_connect_clicked_and_sent_forms(ground: Ground, who: str) -> None:
    case, person = await ground.filed(), ground.sandbox.person(who)
    person.is_stranger = True
    await asyncio.sleep(DECISION_AGE + 0.1)
    try:
        for action in OWNERS_BUTTONS:
            assert await assert_refused(ground, case, who, action, f"{case}:1", team=person.team_id) == "unauthorised", (
                action
            )
        for form, entered in (
            ("deny", {"reason": "No"}), ("less", {"duration": "900"}), ("question", {"reason": "Which site?"}),
        ):  # fmt: skip
            before = len(ground.refusals(case))
            outcome = await ground.form(who, form, entered, metadata=ground.about(case), team=person.team_id)
            assert outcome.acked
            await ground.worked()
            assert [e["data"]["why"] for e in ground.refusals(case)[before:]] == ["unauthorised"], form
        requests = ground.requests()
        entered = {"runbook": "directory-admin-emergency", "target_text": "dc-x", "reason": "r", **TICKET}
        outcome = await ground.form(who, "ask", entered, team=person.team_id)
        assert outcome.response["response_action"] == "errors"
        assert (ground.requests(), ground.state(case)) == (requests, "pending")
    finally:
        person.is_stranger = False
    await asyncio.sleep(DECISION_AGE + 0.1)
    if who != "U0OUTSIDE":  # the flag alone was in the way
        await ground.click("U0OWNER", "approve", f"{case}:1")
        await ground.until(lambda: ground.state(case) == "approved")


async def test_approving_one_card_answered_another(ground: Ground) -> None:
    first, second = await ground.filed(), await ground.filed()
    # The message, the thread and the state of the first; the button of the second.
    container = {
        "type": "message",
        "message_ts": "1700000000.000100",
        "thread_ts": "1700000000.000100",
        "channel_id": "D00OWNER",
    }
    message = {"ts": "1700000000.000100", "text": first, "blocks": []}
    await ground.click("U0OWNER", "approve", f"{second}:1", container=container, message=message)
    await ground.until(lambda: ground.state(second) == "approved")
    assert ground.state(first) == "pending"


async def test_approved_by_was_overwritten_by_the_second_click(ground: Ground) -> None:
    case = await ground.filed(runbook="at-once", field_x="")
    await ground.click("U0DEP2", "approve", f"{case}:1")
    await ground.until(lambda: ground.state(case) == "approved")
    row = ground.bot.rows("SELECT closed_user, closed_ms, version FROM request WHERE id = ?", case)
    for action in ("approve", "deny", "approve_less", "on_it", "pass", "question"):
        assert await assert_refused(ground, case, "U0OWNER", action, f"{case}:1") == "lost"
    assert await assert_refused(ground, case, "U0PE1", "withdraw", f"{case}:1") == "lost"
    assert await assert_refused(ground, case, "U0PE1", "escalate_now", f"{case}:1") == "lost"
    assert ground.bot.rows("SELECT closed_user, closed_ms, version FROM request WHERE id = ?", case) == row


async def test_the_decision_was_credited_to_the_person_asked(ground: Ground) -> None:
    case = await ground.filed(runbook="at-once", field_x="")
    card = await ground.until(
        lambda: next((m for m in ground.sandbox.messages("U0OWNER") if case in m.text and "Approve" in m.buttons), None),
        PACED,
    )
    await ground.sandbox.press("U0DEP2", "Approve", message=card)
    await ground.until(lambda: ground.state(case) == "approved")
    entry = next(e for e in ground.entries(case) if e["type"] == "request.approved")
    assert ground.account(entry["actor"]["ref"]) == "U0DEP2"
    assert entry["data"]["role"] == "deputies"


async def test_two_who_decided_at_once_both_won(ground: Ground) -> None:
    for first in ("U0OWNER", "U0DEP2", "U0PE1"):
        case = await ground.filed(runbook="at-once", field_x="")
        people = sorted(("U0OWNER", "U0DEP1", "U0DEP2"), key=lambda p: p != first)
        gestures = [ground.click(p, "approve", f"{case}:1") for p in people]
        gestures += [ground.form(p, "deny", {"reason": "No"}, metadata=ground.about(case)) for p in people]
        gestures.insert(0 if first == "U0PE1" else 3, ground.click("U0PE1", "withdraw", f"{case}:1"))
        outcomes = await asyncio.gather(*gestures)
        assert all(o.acked and o.seconds < 3 for o in outcomes), outcomes
        await ground.worked()
        ends = [k for k in ground.kinds(case) if k in ("grant.opened", "request.denied", "request.withdrawn")]
        assert len(ends) == 1
        assert len(ground.refusals(case)) == len(gestures) - 1


async def test_a_double_click_ran_twice(ground: Ground) -> None:
    case = await ground.filed()
    await asyncio.gather(*(ground.click("U0OWNER", "approve", f"{case}:1") for _ in range(4)))
    await ground.worked()
    kinds = ground.kinds(case)
    assert (kinds.count("request.approved"), kinds.count("grant.opened"), kinds.count("decision.refused")) == (1, 1, 3)


async def test_every_delivery_came_twice(ground: Ground) -> None:
    ground.sandbox.faults.double_deliveries = True
    requests = ground.requests()
    case = await ground.filed()
    await ground.click("U0PE2", "approve", f"{case}:1")
    await ground.worked()
    await ground.form("U0OWNER", "question", {"reason": "Which?"}, metadata=ground.about(case))
    await ground.until(lambda: "request.asked" in ground.kinds(case))
    await ground.form("U0PE1", "answer", {"reason": "That one"}, metadata=ground.about(case))
    await ground.click("U0OWNER", "approve", f"{case}:1")
    await ground.worked()
    assert ground.requests() == requests + 1
    kinds = [k for k in ground.kinds(case) if not k.startswith("step.")]
    assert kinds == [
        "request.filed", "decision.refused", "request.asked", "request.answered", "request.approved", "grant.opened",
    ]  # fmt: skip


async def test_a_repeat_of_the_same_bytes_ran_again(ground: Ground) -> None:
    case = await ground.filed()
    payload = ground.click_payload("U0PE2", "approve", f"{case}:1")
    outcomes = [await ground.sandbox.deliver("interactive", payload) for _ in range(5)]
    ask = ground.form_payload("U0PE2", "ask", {"runbook": "directory-admin-emergency", "target_text": "dc-twice",
                                               "reason": "r", **TICKET})  # fmt: skip
    answers = [await ground.sandbox.deliver("interactive", ask) for _ in range(3)]
    assert answers[0].ok
    assert answers[0].response == answers[1].response == answers[2].response
    await ground.worked()
    assert len(ground.refusals(case)) == 1
    assert {o.acked for o in outcomes} == {True}
    [(twice,)] = ground.bot.rows("SELECT id FROM request WHERE target = 'dc-twice'")
    ground.filed_here.append((twice, "U0PE2"))


async def test_a_replayed_trigger_carried_another_act(ground: Ground) -> None:
    first, second = await ground.filed(), await ground.filed()
    payload = ground.click_payload("U0OWNER", "approve", f"{first}:1")
    await ground.sandbox.deliver("interactive", payload)
    await ground.until(lambda: ground.state(first) == "approved")
    changed = json.loads(json.dumps(payload))
    changed["actions"][0]["value"] = f"{second}:1"
    await ground.sandbox.deliver("interactive", changed)
    await ground.worked()
    assert ground.state(second) == "pending"


async def test_the_forms_answer_overtook_its_click(ground: Ground) -> None:
    case = await ground.filed()
    await ground.form("U0OWNER", "deny", {"reason": "No"}, metadata=ground.about(case))
    await ground.until(lambda: ground.state(case) == "denied")
    await assert_refused(ground, case, "U0OWNER", "deny", f"{case}:1")
    await assert_refused(ground, case, "U0PE1", "withdraw", f"{case}:1")


STRANGE = [
    "R-00000000:1", "R-ZZZZZZZZ:1", "", ":", ":1", "approve", "1", "null", "{}", "R-:1", "R-UUUUUUUU:1", "'; DROP TABLE ask;--",
    "R-00000000:" + "9" * 50, "A" * 2000, "\x00", "\ud83d", "R-00000000\n:1", "https://evil.example", "<!channel>",
]  # fmt: skip


@pytest.mark.parametrize(
    "action", ["approve", "deny", "approve_less", "withdraw", "escalate_now", "ask_again", "no_such_button", "A" * 255]
)
async def test_a_button_with_a_strange_value_crashed_or_counted(ground: Ground, action: str) -> None:
    kinds = acts(ground)
    for value in STRANGE:
        if value == "\ud83d":
            continue  # half a character is no JSON of Slack's: turned away at the door, over both transports
        outcome = await ground.click("U0OWNER", action, value)
        assert outcome.acked, (value, outcome.response)
        if value:
            await ground.until(lambda o=outcome: ground.answers(o))
    await ground.worked()
    assert acts(ground) == kinds


@pytest.mark.parametrize("version", ["0", "2", "-1", "+1", "1.0", "01x", "999999999", "9999999999", "\u0661", "", "1:1"])
async def test_another_version_of_the_question_was_answered(ground: Ground, version: str) -> None:
    case = await ground.filed()
    for action in ("approve", "deny", "on_it"):
        outcome = await ground.click("U0OWNER", action, f"{case}:{version}")
        await ground.until(lambda o=outcome: ground.answers(o))
    assert ground.state(case) == "pending"
    assert "request.held" not in ground.kinds(case)


async def test_a_form_was_sent_about_another_request(ground: Ground) -> None:
    mine, theirs = await ground.filed(who="U0PE2"), await ground.filed()
    sent = [
        ("U0PE2", "deny", {"reason": "No"}), ("U0PE2", "less", {"duration": "900"}), ("U0PE2", "question", {"reason": "?"}),
        ("U0PE2", "answer", {"reason": "Yes"}), ("U0PE2", "push", {"reason": "Now"}), ("U0SOC1", "deny", {"reason": "No"}),
        ("U0OUTSIDE", "less", {"duration": "900"}), ("U0GUEST", "question", {"reason": "?"}), ("U0PLEAD", "answer", {"reason": "x"}),
        ("U0RISK", "less", {"duration": "900"}), ("U0CLIN", "deny", {"reason": "No"}),
    ]  # fmt: skip
    for number, (who, form, entered) in enumerate(sent, 1):
        seen = len(ground.sandbox.messages(who))
        outcome = await ground.form(who, form, entered, metadata=ground.about(theirs))
        assert outcome.acked
        await ground.worked()
        assert len(ground.refusals(theirs)) == number, (who, form)
        assert ground.account(ground.refusals(theirs)[-1]["actor"]["ref"]) == who
        await ground.until(lambda w=who, s=seen: len(ground.sandbox.messages(w)) > s)
    assert ground.state(theirs) == ground.state(mine) == "pending"
    assert {k for k in ground.kinds(theirs) if not k.startswith("step.")} == {"request.filed", "decision.refused"}


@pytest.mark.parametrize(
    "metadata", ["", "x", "[]", "null", "{}", '{"question": 1}', '{"question": "R-00000000:1"}', "9" * 3000, "[" * 1500]
)
async def test_a_form_without_a_readable_question_crashed(ground: Ground, metadata: str) -> None:
    kinds = acts(ground)
    for form, entered in (("deny", {"reason": "No"}), ("less", {"duration": "900"}), ("answer", {"reason": "x"})):
        outcome = await ground.form("U0OWNER", form, entered, metadata=metadata)
        assert outcome.acked
        assert not outcome.error
    await ground.worked()
    assert acts(ground) == kinds


@pytest.mark.parametrize("seconds", ["999999999", "36000", "0", "-5", "1e9", "\u0663\u0666", "", "3600"])
async def test_less_time_gave_more(ground: Ground, seconds: str) -> None:
    case = await ground.filed(duration="3600", **TICKET)
    outcome = await ground.form("U0OWNER", "less", {"duration": seconds}, metadata=ground.about(case))
    assert outcome.acked
    await ground.worked()
    given = ground.bot.rows("SELECT seconds FROM access_grant WHERE case_id = ?", case)
    assert given in ([], [(3600,)])


LONG = "x" * 1001
FILINGS: list[tuple[str, dict[str, Any]]] = [
    ("another provider's runbook", {"runbook": "vault-admin-emergency"}),
    ("no runbook", {"runbook": ""}),
    ("an unknown runbook", {"runbook": "../../etc/passwd"}),
    ("a runbook that is not served", {"runbook": "clinical-signin-outage"}),
    ("more than the maximum", {"duration": "14401"}),
    ("no time at all", {"duration": "0"}),
    ("less than no time", {"duration": "-3600"}),
    ("a huge time", {"duration": "9" * 40}),
    ("time in other digits", {"duration": "\u0663\u0666\u0660\u0660"}),
    ("no target", {"target_text": " "}),
    ("a target of two lines", {"target_text": "a\nb"}),
    ("a long target", {"target_text": "x" * 201}),
    ("no reason", {"reason": ""}),
    ("a long reason", {"reason": LONG}),
    ("no ticket", {"field.text.ticket": ""}),
    ("a ticket of another form", {"field.text.ticket": "INC1\nx"}),
    ("a ticket under another type", {"field.text.ticket": "", "field.number.ticket": "INC1001"}),
    ("a number for a target", {"target_text": {"type": "plain_text_input", "value": 7.5}}),
]  # fmt: skip


@pytest.mark.parametrize("changed", [c for _, c in FILINGS], ids=[n for n, _ in FILINGS])
async def test_a_form_asked_for_what_its_person_may_not_have(ground: Ground, changed: dict[str, Any]) -> None:
    requests, kinds = ground.requests(), ground.kinds()
    good = {"runbook": "directory-admin-emergency", "target_text": "dc-wrong", "reason": "r", **TICKET}
    outcome = await ground.form("U0PE1", "ask", {**good, **changed})
    assert outcome.acked
    assert outcome.response["response_action"] == "errors", outcome.response
    await ground.worked()
    assert (ground.requests(), ground.kinds()) == (requests, kinds)


@pytest.mark.parametrize(
    ("who", "team"),
    [("U0PLEAD", HOME), ("U0OWNER", HOME), ("U0OUTSIDE", "T0ELSE"), ("U0OUTSIDE", HOME), ("U0GUEST", HOME), ("U0PE1", "T0ELSE")],
)  # fmt: skip
async def test_somebody_who_may_not_ask_sent_the_form(ground: Ground, who: str, team: str) -> None:
    requests, kinds = ground.requests(), ground.kinds()
    entered = {"runbook": "directory-admin-emergency", "target_text": "dc-x", "reason": "r", **TICKET}
    outcome = await ground.form(who, "ask", entered, team=team)
    assert outcome.response["response_action"] == "errors"
    await ground.worked()
    assert (ground.requests(), ground.kinds()) == (requests, kinds)


async def test_a_requester_named_the_owner_as_the_subject_and_so_chose_who_decides(ground: Ground) -> None:
    case = await ground.filed(subject={"type": "users_select", "selected_user": "U0OWNER"}, **TICKET)
    reached = ground.bot.rows("SELECT user_id FROM reached WHERE case_id = ?", case)
    assert reached == [("U0OWNER",)]
    await ground.click("U0OWNER", "approve", f"{case}:1")
    await ground.until(lambda: ground.state(case) == "approved")


@pytest.mark.parametrize("at", ["9" * 10, "9" * 20, "9" * 2999, "\u0661" * 10, "0", "2026-11-23T10:00:00"])
async def test_a_strange_answer_to_a_field_broke_the_card(ground: Ground, at: str) -> None:
    whom = "U" + "A" * 2900 if at == "0" else "U0DEP2"
    entered = {"field.datetime.at": at, "field.person.who": whom}
    outcome = await ground.form(
        "U0PE1", "ask", {"runbook": "at-once", "target_text": f"t{at[:3]}{len(at)}{ord(at[0])}", "reason": "r", **entered}
    )
    assert outcome.acked
    if outcome.response["response_action"] == "errors":
        return
    case = str(outcome.response["view"]["blocks"][0]["text"]["text"]).strip("*")[:10]
    await ground.until(lambda: ground.entries(case))
    ground.filed_here.append((case, "U0PE1"))
    await ground.until(lambda: [m for m in ground.sandbox.messages("U0OWNER") if case in m.text], PACED)


async def test_ask_again_showed_somebody_elses_request(ground: Ground) -> None:
    case = await ground.filed(target="dc-private-77")
    for who in ("U0PE2", "U0SOC1", "U0OWNER", "U0PLEAD", "U0OUTSIDE"):
        await assert_refused(ground, case, who, "ask_again", f"{case}:1", team=ground.sandbox.person(who).team_id)
    outcome = await ground.click("U0PE2", "ask_again", "R-00000000:1")
    await ground.until(lambda: ground.answers(outcome))


@pytest.mark.parametrize("text", ["approve", "yes", "approve R-{}", "/approve", "<@U0BOT> approve", "APPROVE ALL", "✅"])
async def test_typed_text_decided(ground: Ground, text: str) -> None:
    case = await ground.filed()
    outcome = await ground.sandbox.message_bot("U0OWNER", text.format(case[2:]))
    await ground.sandbox.redeliver(outcome)
    await ground.worked()
    assert ground.state(case) == "pending"


def broken(ground: Ground, case: str) -> list[dict[str, Any]]:
    """Payloads with a part gone or of another type."""
    whole = ground.click_payload("U0OWNER", "approve", f"{case}:1")
    found: list[dict[str, Any]] = []
    for key in ("user", "team", "actions", "trigger_id", "container", "channel", "response_url"):
        for value in (None, 7, "x", [], {}, [None], {"id": 7}, {"id": None}, True):
            if key == "response_url" or key in ("container", "channel", "team"):
                continue  # a click without them is a good one
            if key == "trigger_id" and value == "x":
                continue  # as any other error of Slack's
            found.append({**whole, "trigger_id": ground.trigger("U0OWNER"), key: value})
        if key in ("user", "actions", "trigger_id"):
            found.append({k: v for k, v in whole.items() if k != key})
    found += [
        {**whole, "trigger_id": ground.trigger("U0OWNER"), "type": t}
        for t in ("", "x", "view_submission", "message_action")
    ]
    bad_actions = (
        [{"action_id": 7}],
        [{"action_id": "approve"}],
        ["approve"],
        [{"action_id": "approve", "value": {"x": 1}}],
    )
    found += [{**whole, "trigger_id": ground.trigger("U0OWNER"), "actions": a} for a in bad_actions]
    form = ground.form_payload("U0OWNER", "deny_reason", {"reason": "No"}, metadata=ground.about(case))
    for key, value in (
        ("view", None),
        ("view", {}),
        ("view", 7),
        ("user", None),
        ("user", {"id": "x"}),
        ("trigger_id", ""),
    ):
        found.append({**form, "trigger_id": ground.trigger("U0OWNER"), key: value})
    for key, value in (("state", None), ("state", {"values": 7}), ("state", {"values": {"a": 7}}), ("private_metadata", 7),
                       ("callback_id", None), ("callback_id", "zzz"), ):  # fmt: skip
        found.append({**form, "trigger_id": ground.trigger("U0OWNER"), "view": {**form["view"], key: value}})
    return found


async def test_a_payload_of_another_shape_crashed_or_counted(ground: Ground) -> None:
    case = await ground.filed()
    sent: list[tuple[str, Any]] = [("interactive", payload) for payload in broken(ground, case)]
    for event in ({}, {"type": "message"}, {"type": "message", "channel_type": "im"}, {"type": "message", "channel_type": "im", "user": 7},
                  {"type": "message", "channel_type": "im", "user": "U0OWNER", "text": 7}, {"type": 7}, [None], None):  # fmt: skip
        payload = {"type": "event_callback", "team_id": HOME, "event_id": ground.trigger("x"), "event": event}
        sent.append(("events_api", payload))
    for changed in (
        {"user_id": ""}, {"user_id": 7}, {"team_id": "x"}, {"trigger_id": ""}, {"command": "/none"}, {"text": "\x00" * 9},
        {"response_url": "x"},
    ):  # fmt: skip
        sent.append(("slash_commands", {**ground.command_payload("U0OWNER", "/countersign", "help"), **changed}))
    for kind, payload in sent:
        outcome = await ground.sandbox.deliver(kind, payload)
        if outcome.via == "socket":
            assert outcome.acked, (kind, payload, outcome.error)  # Slack would only bring it again
        else:
            assert outcome.acked or outcome.response["status"] // 100 == 4, (kind, payload, outcome)
    await ground.worked()
    assert ground.state(case) == "pending"
    assert "decision.refused" not in ground.kinds(case)
    outcome = await ground.click("U0OWNER", "approve", f"{case}:1")
    assert outcome.ok
    await ground.until(lambda: ground.state(case) == "approved")


@pytest.mark.parametrize(
    "text", ["away until 0001-01-01", "away until 9999-12-31", "away 9999w", "away 0d", "away -1d", "away until 2020-01-01"]
)
async def test_a_strange_absence_crashed_the_bot(ground: Ground, text: str) -> None:
    outcome = await ground.command("U0ADMIN", "/countersign", text)
    assert outcome.ok
    await ground.until(lambda: ground.answers(outcome))
    outcome = await ground.command("U0ADMIN", "/countersign", "away off")
    await ground.until(lambda: ground.answers(outcome))


async def test_a_late_approval_revived_an_expired_request(tmp_path: Any) -> None:
    bot, sandbox = await opened("socket", tmp_path, 2000)
    ground = Ground(bot)
    case = await ground.filed()
    await ground.until(lambda: "request.expired" in ground.kinds(case))
    people = [row[0] for row in bot.rows("SELECT user_id FROM reached WHERE case_id = ?", case)]
    assert "U0OWNER" in people
    for who in people:
        for action in OWNERS_BUTTONS:
            assert await assert_refused(ground, case, who, action, f"{case}:1") == "late"
        before = len(ground.refusals())
        await ground.form(who, "less", {"duration": "900"}, metadata=ground.about(case))
        await ground.form(who, "deny", {"reason": "No"}, metadata=ground.about(case))
        await ground.until(lambda b=before: len(ground.refusals()) == b + 2)
    assert await assert_refused(ground, case, "U0PE1", "withdraw", f"{case}:1") == "late"
    assert ground.state(case) == "expired"
    await ground.worked()
    ground.holds(["nobody"])
    assert await bot.stop() == 0
    await sandbox.__aexit__(None, None, None)
