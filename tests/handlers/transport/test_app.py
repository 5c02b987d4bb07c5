"""Everything that comes from Slack, through the real bolt app: written down, acknowledged, and only then shown."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.domain.policy.people import Person
from bot.ports.commands import COMMAND, FileRequest, Press, ReplyAddress, SaySentence, ShowPage
from handlers import ids
from handlers.transport.app import SlackApp
from handlers.transport.dispatch import dispatched
from handlers.transport.envelope import Payload, enveloped
from handlers.web_api.errors import REFUSED
from tests.bot import parts
from tests.bot.building import COLLEAGUE, DEP1, GUEST, OWNER, PE1, SOC1, STRANGER, T0
from tests.bot.office import Office, covered
from tests.handlers.fake_slack import HANG, FakeSlack, refusal
from tests.handlers.fake_slack import Reply as Told
from tests.handlers.shapes import HOOK, choose, click, picked, shortcut, slash, submit, view_of


@dataclass
class Front:
    """The real door and service, a real store, and a fake Slack."""

    office: Office
    slack: FakeSlack
    door: SlackApp

    async def send(self, body: dict[str, Any]) -> tuple[int, Any]:
        """Status and answer of one payload, as Socket Mode delivers it."""
        response = await self.door.app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=body))
        text = response.body or ""
        return response.status, json.loads(text) if text.startswith("{") else text

    async def acts(self) -> list[Any]:
        """Everything that was taken in and is not carried out, in the order of its arrival."""
        rows = self.office.rows("SELECT act FROM inbox WHERE done_ms IS NULL ORDER BY id")
        return [COMMAND.validate_json(row["act"]) for row in rows]

    async def form(self, person: Person, name: str = "/countersign", text: str = "ask") -> dict[str, Any]:
        """The form that opens for a command."""
        seen = len(self.slack.of("views.open"))
        assert await self.send(slash(person, name, text)) == (200, "")
        await self.door.finish()
        opened = self.slack.of("views.open")
        assert len(opened) == seen + 1
        view = opened[-1].args["view"]
        assert isinstance(view, dict)
        return view


@pytest.fixture
async def front(office: Office) -> AsyncIterator[Front]:
    async with FakeSlack() as slack:
        door = parts.door(office, slack.client())
        yield Front(office, slack, door)
        await door.finish()


def labels(view: dict[str, Any]) -> list[str]:
    return [b["label"]["text"] for b in view["blocks"] if b["type"] == "input"]


def element(view: dict[str, Any], action_id: str) -> dict[str, Any]:
    found: dict[str, Any] = next(b["element"] for b in view["blocks"] if b.get("element", {}).get("action_id") == action_id)
    return found


def notes(view: dict[str, Any]) -> str:
    return "\n".join(b["elements"][0]["text"] for b in view["blocks"] if b["type"] == "context")


async def test_a_command_opens_the_form_and_writes_nothing(front: Front) -> None:
    view = await front.form(PE1, "/breakglass", "ticketed disk &amp; fan")
    assert view["title"]["text"] == "🚨 Emergency access"
    assert labels(view) == ["Runbook", "Target", "Reason", "Duration", "Incident ticket"]
    assert element(view, ids.RUNBOOK)["initial_option"]["value"] == "ticketed"
    assert element(view, ids.REASON)["initial_value"] == "disk & fan"
    assert notes(view) == "Access opens only after <@U0OWNER> approves."
    assert await front.acts() == []


async def test_an_unknown_runbook_is_part_of_the_reason(front: Front) -> None:
    view = await front.form(PE1, "/breakglass", "nonsense disk full")
    assert "initial_option" not in element(view, ids.RUNBOOK)
    assert element(view, ids.REASON)["initial_value"] == "nonsense disk full"
    other_kind = await front.form(PE1, "/breakglass", "token rotate it")
    assert element(other_kind, ids.REASON)["initial_value"] == "token rotate it"


async def test_a_reason_beyond_the_forms_limit_is_cut_and_the_form_says_so(front: Front) -> None:
    view = await front.form(PE1, "/breakglass", "emergency " + "x" * 5000)
    assert len(element(view, ids.REASON)["initial_value"]) == 1000
    assert "1,000 characters and was cut" in notes(view)
    assert "was cut" not in notes(await front.form(PE1, "/breakglass", "emergency " + "x" * 1000))


async def test_a_command_offers_its_kind_only_and_ask_offers_everything(front: Front) -> None:
    values = lambda view: {o["value"] for o in element(view, ids.RUNBOOK)["options"]}  # noqa: E731
    service = front.office.service
    assert values(await front.form(PE1, "/reset", "")) == {r.id for r in service.filing.runbooks_for(PE1, "reset")}
    assert values(await front.form(PE1)) == {r.id for r in service.filing.runbooks_for(PE1, None)}


@pytest.mark.parametrize(("person", "text"), [(OWNER, "no_requester"), (STRANGER, "no_requester"), (GUEST, "no_requester")])
async def test_who_may_ask_for_nothing_learns_whom_to_write_to(front: Front, person: Person, text: str) -> None:
    assert await front.send(slash(person, "/breakglass", "emergency now")) == (200, "")
    await front.door.finish()
    assert front.slack.calls == []
    assert await front.acts() == [SaySentence(person, text, "emergency_access", ReplyAddress(person, HOOK, "C0ANY"))]


async def test_a_kind_without_a_runbook_has_its_own_sentence(front: Front) -> None:
    await front.send(slash(PE1, "/exception"))
    assert [a.sentence for a in await front.acts()] == ["nothing_of_kind"]


async def test_who_may_ask_only_once_it_is_confirmed_is_told_so(front: Front) -> None:
    front.office.service.current.confirmed = lambda policy: replace(policy, runbooks={})
    await front.send(slash(PE1, "/breakglass"))
    assert [a.sentence for a in await front.acts()] == ["not_yet"]


async def test_a_text_command_is_an_inbox_row(front: Front) -> None:
    expected = {
        "": ("waiting", ""), "help": ("help", ""), "QUEUE": ("queue", ""), "mine ": ("mine", ""), "matrix": ("matrix", ""),
        "show r-00000001": ("show", "r-00000001"), "R-00000001": ("show", "r-00000001"), "dance": ("help", "dance"),
        "whoami <@U0DEP1|dev>": ("whoami", "U0DEP1"),
    }  # fmt: skip
    for number, text in enumerate(expected):
        assert await front.send(slash(OWNER, "/countersign", text, trigger_id=f"t{number}")) == (200, "")
    acts = await front.acts()
    assert [(a.page, a.argument) for a in acts] == list(expected.values())
    assert all(isinstance(a, ShowPage) for a in acts)
    assert front.slack.calls == []


async def test_a_prefix_renames_every_command(office: Office) -> None:
    async with FakeSlack() as slack:
        door = parts.door(office, slack.client(), "cs-")
        front = Front(office, slack, door)
        await front.form(PE1, "/cs-breakglass", "emergency")
        assert (await front.send(slash(PE1, "/breakglass")))[0] == 404


async def test_the_shortcut_opens_the_form_with_everything(front: Front) -> None:
    assert await front.send(shortcut(PE1)) == (200, "")
    await front.door.finish()
    assert front.slack.of("views.open")[0].args["view"]["title"]["text"] == "Ask for approval"
    await front.send(shortcut(OWNER))
    assert [a.sentence for a in await front.acts()] == ["no_requester"]


async def test_a_form_that_slack_does_not_open_is_reported(front: Front) -> None:
    front.slack.script["views.open"].append(refusal("expired_trigger_id"))
    await front.send(slash(PE1, "/breakglass", "emergency"))
    await front.door.finish()
    assert [a.sentence for a in await front.acts()] == ["form_not_shown"]


@pytest.mark.parametrize("word", sorted(REFUSED))
async def test_a_form_that_a_refused_token_keeps_closed_says_so_by_an_address_that_needs_no_token(
    front: Front, word: str
) -> None:
    for method in ("views.open", "chat.postEphemeral", "chat.postMessage"):
        front.slack.script[method].extend([refusal(word)] * 3)
    body = slash(PE1, "/breakglass", "emergency", response_url=front.slack.hook("asker"))
    await front.send(body)
    await front.door.finish()
    await front.office.worker.drain()
    await parts.sender(front.office, front.slack.client(), covered).drain()
    [answer] = front.slack.of("hook/asker")
    assert f"Slack refuses this app ({word}), so no form opens. Nothing was filed or changed." in answer.args["text"]
    assert "SLACK_BOT_TOKEN must be replaced" in answer.args["text"]


async def test_a_button_whose_form_slack_does_not_open_is_answered(front: Front) -> None:
    case_id = await front.office.file(PE1)
    for word in ("expired_trigger_id", "token_revoked", "exchanged_trigger_id"):
        front.slack.script["views.open"].append(refusal(word))
        await front.send(click(OWNER, ids.DENY, f"{case_id}:1", trigger_id=f"1.{word}"))
        await front.door.finish()
    said = [a.sentence for a in await front.acts() if a.kind == "tell"]
    assert said == ["form_not_opened", "slack_refuses"]


@pytest.mark.parametrize(
    "type_", ["interactive_message", "dialog_submission", "message_action", "block_suggestion", "of_later"]
)
@pytest.mark.parametrize("name", [ids.APPROVE, ids.FORM_ASK, ids.SHORTCUT_ASK])
async def test_an_interaction_of_a_type_that_we_never_send_is_acknowledged_and_ignored(
    front: Front, type_: str, name: str
) -> None:
    case_id = await front.office.file(PE1)
    press = {"name": name, "action_id": name, "type": "button", "value": f"{case_id}:1"}
    body = click(OWNER, ids.APPROVE, f"{case_id}:1") | {"type": type_, "callback_id": name, "actions": [press]}
    payload = enveloped("interactive", body | {"action_id": name, "state": "", "submission": {}})
    assert isinstance(payload, Payload)
    answer = await dispatched(front.door.app, payload, "gate")
    assert isinstance(answer, BoltResponse)
    assert (answer.status, answer.body) == (200, "")
    await front.door.finish()
    assert (await front.acts(), front.slack.calls) == ([], [])


async def test_a_choice_with_the_name_of_a_button_is_no_click_on_it(front: Front) -> None:
    case_id = await front.office.file(PE1)
    body = click(OWNER, ids.APPROVE, f"{case_id}:1")
    body["actions"][0] |= {"type": "static_select", "selected_option": {"value": f"{case_id}:1"}}
    assert (await front.send(body))[0] == 200
    assert await front.acts() == []


async def test_a_repeat_of_a_command_whose_form_is_open_is_silent(front: Front) -> None:
    front.slack.script["views.open"].append(refusal("exchanged_trigger_id"))
    await front.send(slash(PE1, "/breakglass", "emergency"))
    await front.door.finish()
    assert await front.acts() == []


async def test_another_runbook_rebuilds_the_form_and_typed_text_survives(front: Front) -> None:
    view = await front.form(PE1, "/breakglass", "ticketed disk full")
    typed = {ids.TARGET_TEXT: "srv-1", "field.text.ticket": "INC7", ids.REASON: "disk very full"}
    stored = view_of(view, typed)
    assert await front.send(choose(PE1, stored, "listed")) == (200, "")
    await front.door.finish()
    change = front.slack.of("views.update")[0].args
    assert (change["view_id"], change["hash"]) == ("V0FORM", "1.x")
    other = change["view"]
    assert labels(other) == ["Runbook", "Target", "Reason", "Duration"]
    assert [o["value"] for o in element(other, ids.TARGET_CHOICE)["options"]] == ["alpha", "beta"]
    assert element(other, ids.REASON)["initial_value"] == "disk very full"
    await front.send(choose(PE1, view_of(other, {ids.REASON: "disk very full"}), "ticketed"))
    await front.door.finish()
    back = front.slack.of("views.update")[1].args["view"]
    assert element(back, ids.TARGET_TEXT)["initial_value"] == "srv-1"
    assert element(back, "field.text.ticket")["initial_value"] == "INC7"
    assert element(back, ids.REASON)["initial_value"] == "disk very full"
    assert await front.acts() == []


async def test_the_same_question_keeps_its_place_and_a_choice_starts_again(front: Front) -> None:
    one, two = await front.form(PE1, "/breakglass", "emergency x"), await front.form(PE1, "/breakglass", "ticketed x")
    places = [{b["element"]["action_id"]: b["block_id"] for b in view["blocks"] if "element" in b} for view in (one, two)]
    for text in (ids.RUNBOOK, ids.TARGET_TEXT, ids.REASON):
        assert places[0][text] == places[1][text]
    assert places[0][ids.DURATION] != places[1][ids.DURATION]


async def test_durations_go_up_to_the_maximum_and_start_at_the_default(front: Front) -> None:
    chosen = element(await front.form(PE1, "/breakglass", "emergency"), ids.DURATION)
    assert [o["text"]["text"] for o in chosen["options"]] == ["15 minutes", "30 minutes", "1 hour", "2 hours", "4 hours"]
    assert chosen["initial_option"]["value"] == "3600"


async def test_a_right_that_needs_no_yes_says_so_in_the_form(front: Front) -> None:
    said = notes(await front.form(PE1, "/reset", "unlock"))
    assert "You may do this now; nobody is asked. It is logged, and <@U0OWNER> is told once a day." in said


def filled(view: dict[str, Any], **entered: Any) -> dict[str, Any]:
    plain = {ids.TARGET_TEXT: "srv-1", ids.REASON: "disk full"}
    return view_of(view, plain | entered)


async def test_a_sent_form_is_written_down_and_its_id_is_shown_at_once(front: Front) -> None:
    view = await front.form(PE1, "/breakglass", "ticketed")
    ticket = {"field.text.ticket": "INC7", ids.DURATION: picked("7200")}
    status, answer = await front.send(submit(PE1, filled(view, **ticket)))
    (act,) = await front.acts()
    assert act == FileRequest(act.id, PE1, "ticketed", "srv-1", "disk full", 7200, {"ticket": "INC7"}, None, "V0FORM")
    assert (status, answer["response_action"]) == (200, "update")
    assert f"*{act.id}* is filed." in json.dumps(answer)
    assert "submit" not in answer["view"]


async def test_errors_are_shown_at_their_field_and_leave_no_row(front: Front) -> None:
    view = await front.form(PE1, "/breakglass", "ticketed")
    bad = {"field.text.ticket": "7", ids.TARGET_TEXT: "a\nb", ids.REASON: " "}
    status, answer = await front.send(submit(PE1, filled(view, **bad)))
    assert (status, answer["response_action"]) == (200, "errors")
    assert set(answer["errors"]) == {ids.TARGET_TEXT, ids.REASON, "field.text.ticket"}
    assert await front.acts() == []


async def test_an_error_at_a_field_that_the_form_does_not_show_is_shown_at_the_runbook(front: Front) -> None:
    view = filled(await front.form(PE1, "/breakglass", "emergency"))
    view["state"]["values"][ids.RUNBOOK] = {ids.RUNBOOK: picked("ticketed")}
    _, answer = await front.send(submit(PE1, view))
    assert set(answer["errors"]) == {ids.RUNBOOK}
    assert answer["errors"][ids.RUNBOOK].startswith("The form has changed.")


async def test_a_replayed_form_gets_the_first_answer_byte_for_byte(front: Front) -> None:
    body = submit(PE1, filled(await front.form(PE1, "/breakglass", "emergency")))
    first, again = await front.send(body), await front.send(body)
    assert first == again
    assert len(await front.acts()) == 1


async def test_a_form_of_somebody_elses_provider_is_refused_at_the_runbook(front: Front) -> None:
    view = filled(await front.form(PE1, "/breakglass", "emergency"))
    for person in (OWNER, COLLEAGUE):
        _, answer = await front.send(submit(person, view))
        assert set(answer["errors"]) == {ids.RUNBOOK}
    assert await front.acts() == []


async def test_a_target_of_the_list_comes_back_as_itself(front: Front) -> None:
    view = await front.form(SOC1, "/breakglass", "listed")
    await front.send(submit(SOC1, view_of(view, {ids.TARGET_CHOICE: picked("beta"), ids.REASON: "why"})))
    assert [a.target for a in await front.acts()] == ["beta"]


@pytest.mark.parametrize(("button", "decision"), [(ids.APPROVE, "approve"), (ids.WITHDRAW, "withdraw")])
async def test_one_click_is_one_decision_and_slack_is_not_called(front: Front, button: str, decision: Any) -> None:
    body = click(OWNER, button, "R-ABCD1234:3")
    assert [await front.send(body), await front.send(body)] == [(200, ""), (200, "")]
    reply = ReplyAddress(OWNER, HOOK.replace("commands", "actions"), "D0CARD")
    assert await front.acts() == [Press(OWNER, "R-ABCD1234", 3, decision, reply)]
    assert front.slack.calls == []


async def test_a_button_that_names_nothing_is_answered(front: Front) -> None:
    for number, (button, value) in enumerate(
        [(ids.APPROVE, "R-1"), (ids.DENY, ""), ("of_a_later_release", "R-ABCD1234:1")]
    ):
        assert await front.send(click(OWNER, button, value, trigger_id=f"t{number}")) == (200, "")
    assert [(a.kind, a.sentence) for a in await front.acts()] == [("tell", "unknown_button")] * 3


async def test_deny_opens_its_form_only_for_somebody_whose_no_would_count(front: Front) -> None:
    case_id = await front.office.file(PE1)
    for person, opened in ((PE1, 0), (STRANGER, 0), (DEP1, 0), (OWNER, 1)):
        await front.send(click(person, ids.DENY, f"{case_id}:1", trigger_id=f"t-{person}"))
        await front.door.finish()
        assert len(front.slack.of("views.open")) == opened
    acts = await front.acts()
    assert [(a.kind, a.action) for a in acts] == [("reach", "deny")] * 4


async def test_the_form_of_a_no_opens_while_slack_does_not_say_who_it_is_and_that_of_a_yes_stays_closed(
    front: Front,
) -> None:
    case_id = await front.office.file(PE1)
    front.office.directory.silent.add(OWNER)
    await front.send(click(OWNER, ids.LESS, f"{case_id}:1"))
    await front.door.finish()
    assert front.slack.calls == []
    await front.send(click(OWNER, ids.DENY, f"{case_id}:1"))
    await front.door.finish()
    [opened] = front.slack.of("views.open")
    assert opened.args["view"]["callback_id"] == ids.FORM_DENY
    assert len(await front.acts()) == 1


async def deny_view(front: Front) -> tuple[str, dict[str, Any]]:
    case_id = await front.office.file(PE1)
    await front.send(click(OWNER, ids.DENY, f"{case_id}:1"))
    await front.door.finish()
    return case_id, front.slack.of("views.open")[0].args["view"]


async def test_no_stock_reason_is_preselected_and_either_is_enough(front: Front) -> None:
    case_id, view = await deny_view(front)
    stock = element(view, ids.STOCK_REASON)
    assert "initial_option" not in stock
    assert "either is enough, and one is needed" in view["blocks"][0]["text"]["text"]
    assert all(b["optional"] for b in view["blocks"] if b["type"] == "input")
    chosen = stock["options"][1]["value"]
    entered = [
        {ids.STOCK_REASON: picked(chosen)},
        {ids.REASON: "mine"},
        {ids.STOCK_REASON: picked(chosen), ids.REASON: "m"},
    ]
    for number, typed in enumerate(entered):
        assert await front.send(submit(OWNER, view_of(view, typed), trigger_id=f"s{number}")) == (200, "")
    denials = [a for a in await front.acts() if a.kind == "decide"]
    assert [a.text for a in denials] == [chosen, "mine", f"{chosen}: m"]
    assert denials[0] == Press(OWNER, case_id, 1, "deny", ReplyAddress(OWNER, "", "D0CARD"), chosen)


@pytest.mark.parametrize("blank", [{}, {ids.REASON: ""}, {ids.REASON: " \n\t "}])
async def test_a_blank_no_is_refused_at_the_field(front: Front, blank: dict[str, Any]) -> None:
    _, view = await deny_view(front)
    _, answer = await front.send(submit(OWNER, view_of(view, blank)))
    assert set(answer["errors"]) == {ids.REASON}
    assert not [a for a in await front.acts() if a.kind == "decide"]


async def test_a_stock_reason_that_is_none_of_ours_does_not_count(front: Front) -> None:
    _, view = await deny_view(front)
    _, answer = await front.send(submit(OWNER, view_of(view, {ids.STOCK_REASON: picked("Approved by Olga")})))
    assert answer["response_action"] == "errors"


async def test_a_payload_of_another_shape_is_acknowledged_with_a_sentence_never_a_500(front: Front) -> None:
    assert await front.send(slash(PE1, "/breakglass", user_id="")) == (
        200, {"text": "Slack did not say who this was. Try once more."})  # fmt: skip
    status, _ = await front.send(click(OWNER, "approve", "R-ABCD1234:1", trigger_id=7))
    assert status == 200
    status, answer = await front.send(submit(OWNER, {"callback_id": "ask", "type": "modal", "id": 7}))
    assert (status, answer["response_action"]) == (200, "update")
    assert await front.acts() == []


async def test_what_could_not_be_written_down_is_not_acknowledged(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(front.office.service, "take_in", broken)
    status, _ = await front.send(click(OWNER, ids.APPROVE, "R-ABCD1234:1"))
    assert status == 500


async def test_the_acknowledgement_does_not_wait_for_slack(front: Front) -> None:
    front.slack.script["views.open"].append(Told(200, HANG))
    assert await front.send(slash(PE1, "/breakglass", "emergency")) == (200, "")
    await front.slack.until(lambda: front.slack.of("views.open"))
    front.slack.released.set()


async def test_no_event_asks_slack_who_we_are(front: Front) -> None:
    await front.send(click(OWNER, ids.APPROVE, "R-ABCD1234:1"))
    await front.form(PE1, "/breakglass", "emergency")
    assert {call.method for call in front.slack.calls} == {"views.open"}
    assert front.office.clock.at == T0
