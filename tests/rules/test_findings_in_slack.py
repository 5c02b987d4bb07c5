"""A finding through Slack: the command, the shortcuts, the card with its buttons, the form that closes it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.domain.case.lifecycle import FindingState
from bot.domain.policy.people import Person
from handlers import ids
from tests.bot import parts
from tests.bot.building import LEAD, OWNER, PE1, RISK, SOC1, STRANGER, T0
from tests.bot.office import Office, covered
from tests.handlers.fake_slack import FakeSlack
from tests.handlers.shapes import click, shortcut, slash, submit, view_of
from tests.handlers.transport.test_app import Front, element, labels, notes
from tests.rules.test_findings import BASE

SECRET = "AKIAIOSFODNN7EXAMPLE"


class Talk(Front):
    """The door with everything behind it: what is taken in is carried out and said."""

    async def send(self, body: dict[str, Any]) -> tuple[int, Any]:
        """Every gesture has a trigger of its own."""
        self.office.keys += 1
        return await super().send(body | {"trigger_id": f"{self.office.keys}.1"})

    async def done(self) -> None:
        await self.door.finish()
        await self.office.worker.drain()
        client = self.slack.client()
        await parts.sender(self.office, client, covered).drain()  # type: ignore[arg-type]

    async def report(self, person: Person = PE1, text: str = "exposure a token in the log", **typed: Any) -> str:
        view = await self.form(person, "/countersign", f"finding {text}")
        entered = {ids.TARGET_TEXT: "repo billing", ids.REASON: "a token", ids.NOTICED_AT: int(T0.timestamp())} | typed
        status, answer = await self.send(submit(person, view_of(view, entered)))
        assert (status, answer["response_action"]) == (200, "update")
        await self.done()
        return str((await self.office.store.cases.cases_of(person, 1))[0].id)

    def to(self, person: Person) -> list[dict[str, Any]]:
        return [c.args for c in self.slack.of("chat.postMessage") if c.args["channel"] in (person.user, f"D-{person.user}")]

    async def press(self, person: Person, action: str, case_id: str) -> None:
        await self.send(click(person, action, f"{case_id}:1"))
        await self.done()


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    async with Office(tmp_path / "countersign.db", BASE) as office, FakeSlack() as slack:
        door = parts.door(office, slack.client())
        yield Talk(office, slack, door)
        await door.finish()


def buttons(said: dict[str, Any]) -> list[str]:
    rows = (b for b in said["blocks"] if b["type"] == "actions")
    return [one["text"]["text"] for row in rows for one in row["elements"]]


async def test_the_form_asks_where_what_and_when_and_warns_of_the_secret(talk: Talk) -> None:
    view = await talk.form(PE1, "/countersign", "finding exposure a token &amp; a key")
    assert labels(view) == ["Runbook", "Where", "What", "Noticed at"]
    assert element(view, ids.REASON)["initial_value"] == "a token & a key"
    assert element(view, ids.NOTICED_AT)["initial_date_time"] == int(T0.timestamp())
    assert "Never paste the secret itself." in notes(view)


async def test_it_is_put_to_the_owner_acknowledged_and_closed(talk: Talk) -> None:
    case_id = await talk.report()
    (card,) = talk.to(OWNER)
    assert buttons(card) == ["Acknowledge", "On it", "Question"]
    assert "No access is asked for" in card["text"]
    (receipt,) = talk.to(PE1)
    assert "It does not expire" in receipt["text"]
    await talk.press(OWNER, ids.ACKNOWLEDGE, case_id)
    assert buttons(talk.slack.of("chat.update")[0].args) == ["Close", "Question"]
    await talk.send(click(OWNER, ids.CLOSE, f"{case_id}:1"))
    await talk.done()
    view = talk.slack.of("views.open")[-1].args["view"]
    await talk.send(submit(OWNER, view_of(view, {ids.REASON: "rotated"})))
    await talk.done()
    assert await talk.office.state(case_id) is FindingState.CLOSED
    assert [c for c in talk.to(PE1) if "*Closed*" in c["text"] and "rotated" in c["text"]]
    assert buttons(talk.slack.of("chat.update")[-1].args) == []


async def test_on_it_and_a_question_work_on_its_card(talk: Talk) -> None:
    case_id = await talk.report()
    await talk.press(OWNER, ids.HOLD, case_id)
    await talk.press(OWNER, ids.QUESTION, case_id)
    view = talk.slack.of("views.open")[-1].args["view"]
    await talk.send(submit(OWNER, view_of(view, {ids.REASON: "which token?"})))
    await talk.done()
    assert any(
        "which token?" in str(said["blocks"]) and "Answer" in buttons(said)
        for said in (c.args for c in talk.slack.of("chat.postMessage"))
    )


async def test_a_home_person_reports_by_the_global_shortcut(talk: Talk) -> None:
    await talk.send(shortcut(STRANGER, ids.SHORTCUT_FINDING))
    await talk.door.finish()
    assert labels(talk.slack.of("views.open")[-1].args["view"])[1:] == ["Where", "What", "Noticed at"]


async def test_a_messages_shortcut_names_the_message_and_never_copies_its_text(talk: Talk) -> None:
    about = {
        "type": "message_action", "channel": {"id": "C0OPS", "name": "ops"}, "response_url": "https://hooks.example/1",
        "message": {"type": "message", "user": "U0X", "ts": "1772614800.000100", "text": f"key {SECRET}"}, "message_ts": "1772614800.000100",
    }  # fmt: skip
    await talk.send(shortcut(PE1, ids.SHORTCUT_MESSAGE_FINDING) | about)
    await talk.door.finish()
    view = talk.slack.of("views.open")[-1].args["view"]
    assert "#ops" in element(view, ids.TARGET_TEXT)["initial_value"]
    assert SECRET not in str(view)


async def test_anyone_who_may_report_nothing_gets_a_sentence(talk: Talk) -> None:
    await talk.send(slash(SOC1, "/countersign", "finding"))
    assert [a.sentence for a in await talk.acts()] == ["nothing_of_kind"]


async def test_errors_are_shown_at_their_field_and_leave_no_row(talk: Talk) -> None:
    view = await talk.form(PE1, "/countersign", "finding exposure")
    ahead = {ids.TARGET_TEXT: "x", ids.REASON: "y", ids.NOTICED_AT: int(T0.timestamp()) + 3600}
    _, answer = await talk.send(submit(PE1, view_of(view, ahead)))
    assert list(answer["errors"]) == [ids.NOTICED_AT]
    assert await talk.acts() == []


async def test_the_owner_shares_a_home_persons_finding_with_the_lead(talk: Talk) -> None:
    case_id = await talk.report(STRANGER)
    assert "Share with the provider" in buttons(talk.to(OWNER)[0])
    assert talk.to(LEAD) == []
    await talk.press(OWNER, ids.SHARE, case_id)
    assert [buttons(said) for said in talk.to(LEAD)] == [[]]


async def test_the_time_is_corrected_in_a_form(talk: Talk) -> None:
    case_id = await talk.report()
    await talk.press(PE1, ids.CORRECT, case_id)
    view = talk.slack.of("views.open")[-1].args["view"]
    await talk.send(submit(PE1, view_of(view, {ids.NOTICED_AT: int(T0.timestamp()) - 7200})))
    await talk.done()
    assert (await talk.office.case(case_id)).late
    assert any("Reported late" in str(c.args) for c in talk.slack.of("chat.update"))


@pytest.mark.parametrize("page", ["queue", "show", "mine", ""])
async def test_pages_know_it(talk: Talk, page: str) -> None:
    case_id = await talk.report()
    person = PE1 if page == "mine" else OWNER
    text = f"show {case_id}" if page == "show" else page
    await talk.send(slash(person, "/countersign", text))
    await talk.done()
    assert any(case_id in str(call.args) for call in talk.slack.of("chat.postEphemeral") + talk.slack.of("hook/somebody"))


async def test_the_app_home_holds_it_with_its_buttons(talk: Talk) -> None:
    case_id = await talk.report()
    await talk.office.store.homes.redraw(None)
    sheet = await talk.office.service.queries.read_home(OWNER, T0)
    assert [c.id for c in sheet.waiting] == [case_id]
    from handlers.views.home import home

    view = home(sheet, parts.rendering(talk.office).scene(), may_ask=False)
    assert "Acknowledge" in str(view)
    assert "Finding" in str(view)


async def test_the_hourly_reminder_says_that_nobody_has_acknowledged(talk: Talk) -> None:
    await talk.report()
    talk.office.sleep(T0.replace(hour=10) - T0)
    await talk.office.sweeper.sweep()
    await talk.done()
    assert any(
        "nobody has acknowledged this finding" in said["text"] or "Acknowledge" in buttons(said) for said in talk.to(RISK)
    )
    channel = [c.args["text"] for c in talk.slack.of("chat.postMessage") if c.args["channel"] == "C0DIRECTORY"]
    assert any("not acknowledged" in text for text in channel)
