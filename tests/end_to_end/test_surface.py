"""What people do beside a plain yes or no, through Slack."""

from collections.abc import Callable
from typing import Any

from bot.demo.workspace import APPROVER, ASKER

DEPUTY, LEAD = "U0DEP1", "U0PLEAD"


async def test_approve_for_less_opens_the_smaller_time(start: Callable[..., Any], file: Any) -> None:
    bot = await start()
    sandbox = bot.sandbox
    card = await file(sandbox)
    await sandbox.press(APPROVER, "Approve for less…", message=card)
    await sandbox.wait_for(lambda: sandbox.modal(APPROVER))
    assert (await sandbox.submit(APPROVER, {"Duration": "15 minutes"})).ok
    await sandbox.wait_for(lambda: "grant.opened" in bot.types())
    [(seconds,)] = bot.rows("SELECT seconds FROM access_grant")
    assert seconds == 900


async def test_a_question_reaches_the_requester_and_its_answer_everyone_asked(start: Callable[..., Any], file: Any) -> None:
    bot = await start()
    sandbox = bot.sandbox
    card = await file(sandbox)
    await sandbox.press(APPROVER, "Question", message=card)
    await sandbox.wait_for(lambda: sandbox.modal(APPROVER))
    assert (await sandbox.submit(APPROVER, {"Question": "Which site?"})).ok
    asked = await sandbox.wait_for(lambda: sandbox.find(ASKER, "Which site?"))
    await sandbox.press(ASKER, "Answer", message=asked)
    await sandbox.wait_for(lambda: sandbox.modal(ASKER))
    assert (await sandbox.submit(ASKER, {"Answer": "The <!channel> main one"})).ok
    await sandbox.wait_for(lambda: sandbox.find(APPROVER, "main one"))
    await sandbox.wait_for(lambda: "Which site?" in sandbox.current(card).shown)
    assert "<!channel>" not in sandbox.current(card).shown
    assert {"request.asked", "request.answered"} <= set(bot.types())


async def test_pass_asks_the_next_at_once_and_the_passer_may_still_decide(start: Callable[..., Any], file: Any) -> None:
    bot = await start()
    sandbox = bot.sandbox
    card = await file(sandbox)
    await sandbox.press(APPROVER, "Ask someone else", message=card)
    await sandbox.wait_for(lambda: sandbox.find(DEPUTY, "Approve"))
    now = await sandbox.wait_for(lambda: (c := sandbox.current(card)) and "asked someone else" in c.shown and c)
    await sandbox.press(APPROVER, "Approve", message=now)
    assert await sandbox.wait_for(lambda: "grant.opened" in bot.types())


async def test_on_it_informs_everyone_and_works_once(start: Callable[..., Any], file: Any) -> None:
    bot = await start()
    sandbox = bot.sandbox
    card = await file(sandbox)
    await sandbox.press(APPROVER, "On it", message=card)
    await sandbox.wait_for(lambda: "is on it" in sandbox.current(card).shown)
    assert "On it" not in sandbox.current(card).buttons
    await sandbox.press(APPROVER, "On it", message=card)
    await sandbox.wait_for(lambda: sandbox.find(APPROVER, "on it already"))
    assert bot.types().count("request.held") == 1


async def test_the_requester_escalates_once_with_a_reason(start: Callable[..., Any], file: Any) -> None:
    bot = await start()
    sandbox = bot.sandbox
    await file(sandbox)
    receipt = await sandbox.wait_for(lambda: sandbox.find(ASKER, "Escalate now"))
    await sandbox.press(ASKER, "Escalate now", message=receipt)
    await sandbox.wait_for(lambda: sandbox.modal(ASKER))
    assert (await sandbox.submit(ASKER, {"Reason": "Two hospitals are down"})).ok
    await sandbox.wait_for(lambda: sandbox.find(DEPUTY, "Approve"))
    await sandbox.wait_for(lambda: "Escalate now" not in sandbox.current(receipt).buttons)
    await sandbox.press(ASKER, "Escalate now", message=receipt)
    await sandbox.wait_for(lambda: sandbox.find(ASKER, "works once"))
    assert bot.types().count("request.pushed") == 1


async def test_a_leads_advice_is_shown_and_decides_nothing(start: Callable[..., Any], file: Any) -> None:
    bot = await start()
    sandbox = bot.sandbox
    card = await file(sandbox)
    copy = await sandbox.wait_for(lambda: sandbox.find(LEAD, "Recommend"))
    await sandbox.press(LEAD, "Advise against", message=copy)
    await sandbox.wait_for(lambda: "advises against it" in sandbox.current(card).shown)
    await sandbox.press(LEAD, "Approve", message=card)
    await sandbox.wait_for(lambda: "decision.refused" in bot.types())
    assert "request.approved" not in bot.types()


async def test_ask_again_opens_the_form_with_what_was_asked(start: Callable[..., Any], file: Any) -> None:
    bot = await start()
    sandbox = bot.sandbox
    card = await file(sandbox, target="dc-core-09", reason="It fails again")
    await sandbox.press(APPROVER, "Deny", message=card)
    await sandbox.wait_for(lambda: sandbox.modal(APPROVER))
    await sandbox.submit(APPROVER, {"Reason": "Not now"})
    receipt = await sandbox.wait_for(lambda: sandbox.find(ASKER, "Ask again"))
    await sandbox.press(ASKER, "Ask again", message=receipt)
    form = await sandbox.wait_for(lambda: sandbox.modal(ASKER))
    assert (form.value("Target"), form.value("Reason"), form.value("Incident ticket")) == (
        "dc-core-09", "It fails again", "INC1001",
    )  # fmt: skip
    assert (await sandbox.submit(ASKER, {})).ok
    again = await sandbox.wait_for(lambda: (c := sandbox.find(APPROVER, "Approve")) and c.ts != card.ts and c)
    assert "denied within the last day" in again.shown


async def test_an_absent_owners_questions_go_to_the_first_deputy_on_their_behalf(
    start: Callable[..., Any], file: Any
) -> None:
    bot = await start()
    sandbox = bot.sandbox
    await file(sandbox)
    await sandbox.command(APPROVER, "/countersign", "away 2d")
    card = await sandbox.wait_for(lambda: sandbox.find(DEPUTY, "Approve"))
    assert "on behalf of" in card.shown
    await sandbox.press(DEPUTY, "Approve", message=card)
    await sandbox.wait_for(lambda: "grant.opened" in bot.types())
    rows = bot.rows("SELECT json_extract(data, '$.on_behalf_of') FROM log_entry WHERE type = 'request.approved'")
    assert rows[0][0].startswith("sub_")
    assert "absence.set" in bot.types()
    await sandbox.command(APPROVER, "/countersign", "away off")
    told = await sandbox.wait_for(lambda: sandbox.find(APPROVER, "on your behalf"))
    assert f"<@{DEPUTY}> said yes (approved)" in told.shown


async def test_typed_text_decides_nothing_and_brings_what_waits(start: Callable[..., Any], file: Any) -> None:
    bot = await start()
    sandbox = bot.sandbox
    card = await file(sandbox)
    await sandbox.message_bot(APPROVER, "approve")
    again = await sandbox.wait_for(lambda: (c := sandbox.find(APPROVER, "Approve")) and c.ts != card.ts and c)
    assert "request.approved" not in bot.types()
    await sandbox.press(APPROVER, "Approve", message=again)
    for copy in (card, again):
        await sandbox.wait_for(lambda c=copy: "Approve" not in sandbox.current(c).buttons)


async def test_the_log_of_a_case_is_shown_to_its_people_only(start: Callable[..., Any], file: Any) -> None:
    bot = await start()
    sandbox = bot.sandbox
    await file(sandbox)
    [(case,)] = bot.rows("SELECT id FROM request WHERE matter = ''")
    await sandbox.command(APPROVER, "/countersign", f"log {case}")
    await sandbox.wait_for(lambda: sandbox.find(APPROVER, "asked for it"))
    await sandbox.command("U0SOC1", "/countersign", f"log {case}")
    await sandbox.wait_for(lambda: sandbox.find("U0SOC1", "no request"))
    assert sandbox.find("U0SOC1", "asked for it") is None


async def test_people_of_a_connected_workspace_ask_by_the_channel_button_and_read_their_receipt_there(
    start: Callable[..., Any],
) -> None:
    bot = await start()
    sandbox = bot.sandbox
    sandbox.person("U0KH1").accepts_dms = False
    await sandbox.join("U0VAULT", "C0KEYHOLD")
    await sandbox.command("U0VAULT", "/countersign", "post", channel="C0KEYHOLD")
    door = await sandbox.wait_for(lambda: next((m for m in sandbox.messages("C0KEYHOLD") if m.buttons), None))
    await sandbox.press("U0KH1", "Ask for approval", message=door)
    await sandbox.wait_for(lambda: sandbox.modal("U0KH1"))
    await sandbox.change("U0KH1", "Runbook", "Reconcile a managed account with the vault")
    form = await sandbox.wait_for(lambda: (f := sandbox.modal("U0KH1")) and "Duration" in f.labels and f)
    values: dict[str, Any] = {"Reason": "secret words", "Target": form.options("Target")[0]}
    values |= {"Account": "svc-backup", "Kind of account": "Service account", "Service ticket": "INC1234567"}
    sent = await sandbox.submit("U0KH1", values)
    assert sent.ok, sent.errors
    receipt = await sandbox.wait_for(
        lambda: next((m for m in sandbox.messages("C0KEYHOLD") if m.thread_ts == door.ts and "R-" in m.shown), None)
    )
    assert "secret words" not in receipt.shown + receipt.text
    card = await sandbox.wait_for(lambda: sandbox.find("U0VAULT", "Approve"))
    await sandbox.press("U0VAULT", "Approve", message=card)
    await sandbox.wait_for(lambda: "Approved" in sandbox.current(receipt).shown)


async def test_the_channel_button_is_refused_where_two_providers_meet_and_to_providers(start: Callable[..., Any]) -> None:
    bot = await start()
    sandbox = bot.sandbox
    await sandbox.join("U0OWNER", "C0NORTHGATE")
    await sandbox.join("U0SOC1", "C0NORTHGATE")
    await sandbox.command("U0OWNER", "/countersign", "post", channel="C0NORTHGATE")
    await sandbox.wait_for(lambda: [m for m in sandbox.messages("C0NORTHGATE", "U0OWNER") if "each would see" in m.shown])
    await sandbox.command("U0PE1", "/countersign", "post", channel="C0NORTHGATE")
    await sandbox.wait_for(lambda: [m for m in sandbox.messages("C0NORTHGATE", "U0PE1") if "Only people of" in m.shown])
    assert not [m for m in sandbox.messages("C0NORTHGATE") if m.buttons]


async def test_bare_away_opens_a_form_and_a_past_day_is_refused_at_its_field(start: Callable[..., Any], file: Any) -> None:
    bot = await start()
    sandbox = bot.sandbox
    await file(sandbox)
    await sandbox.command(APPROVER, "/countersign", "away")
    await sandbox.wait_for(lambda: sandbox.modal(APPROVER))
    assert (await sandbox.submit(APPROVER, {"Back on": "2020-01-01"})).errors
    assert (await sandbox.submit(APPROVER, {"Back on": "2099-01-01"})).ok
    await sandbox.wait_for(lambda: sandbox.find(DEPUTY, "Approve"))
    await sandbox.wait_for(lambda: "absence.set" in bot.types())
    await sandbox.command(APPROVER, "/countersign", "away off")
    await sandbox.wait_for(lambda: "absence.cleared" in bot.types())


async def test_the_forms_last_page_and_the_receipt_show_what_the_engine_would_do_next(start: Callable[..., Any]) -> None:
    bot = await start()
    sandbox = bot.sandbox
    await sandbox.command(DEPUTY, "/countersign", "away 2d")
    await sandbox.wait_for(lambda: "absence.set" in bot.types())
    await sandbox.command(ASKER, "/breakglass", "directory-admin-emergency Sync stopped")
    await sandbox.wait_for(lambda: sandbox.modal(ASKER))
    assert (await sandbox.submit(ASKER, {"Target": "dc-1", "Incident ticket": "INC1001"})).ok
    page = await sandbox.wait_for(lambda: (f := sandbox.modal(ASKER)) and "What happens next" in f.shown and f)
    receipt = await sandbox.wait_for(lambda: sandbox.find(ASKER, "What happens next"))
    for shown in (page.shown, receipt.shown):
        told = [line.split(">: ", 1)[1] for line in shown.split("\n") if line.startswith("• ")]
        assert told[:2] == [f"<@{APPROVER}> will be reminded", "<@U0DEP2> will be asked"]
        assert told[2].endswith("asked, by page too")
        assert told[-1] == "it expires, and nothing opens"
    await sandbox.press(ASKER, "Withdraw", message=receipt)
    await sandbox.wait_for(lambda: "What happens next" not in sandbox.current(receipt).shown)


async def test_the_home_shows_what_waits_and_decides_in_place(start: Callable[..., Any], file: Any) -> None:
    bot = await start()
    sandbox = bot.sandbox
    await file(sandbox)
    assert (await sandbox.open_home(APPROVER)).ok
    assert (await sandbox.open_home(ASKER)).ok
    await sandbox.wait_for(lambda: (home := sandbox.home(APPROVER)) and "Approve" in home.buttons)
    assert (await sandbox.press(APPROVER, "Approve", where="home")).ok
    await sandbox.wait_for(lambda: "grant.opened" in bot.types())
    await sandbox.wait_for(lambda: "Revoke" in sandbox.home(APPROVER).buttons)
    assert "Approve" not in sandbox.home(APPROVER).buttons
    await sandbox.wait_for(lambda: "Finished" in sandbox.home(ASKER).buttons)
    assert (await sandbox.press(ASKER, "Finished", where="home")).ok
    await sandbox.wait_for(lambda: "Finished" not in sandbox.home(ASKER).buttons)
    await sandbox.wait_for(lambda: "grant.finished" in bot.types())
