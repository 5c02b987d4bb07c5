"""A person's day in the look-alike, with a real Bolt application on the other side."""

from collections.abc import Callable
from typing import Any

import pytest
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.client import RemoteSandbox
from sandbox.driver import Sandbox
from sandbox.errors import GestureError

Draw = Callable[..., list[dict[str, Any]]]


async def test_a_command_opens_a_form_whose_answer_becomes_a_card_that_a_click_changes(
    sandbox: Sandbox, bolt: AsyncApp
) -> None:
    typed = await sandbox.command("U0DEP1", "/ask", "disk & <full>", channel="C0GENERAL")
    assert (typed.acked, typed.via) == (True, "socket")
    form = await sandbox.wait_for(lambda: sandbox.modal("U0DEP1"))
    assert (form.title, form.labels, form.private_metadata) == ("Ask", ["Reason", "Size"], "disk &amp; &lt;full&gt;")

    empty = await sandbox.submit("U0DEP1")
    assert empty.errors == {"reason": "Please complete this required field."}
    assert sandbox.timeline.of("delivery", "view_submission") == []

    refused = await sandbox.submit("U0DEP1", {"Reason": "wrong"})
    assert refused.acked
    assert sandbox.modal("U0DEP1").errors == {"Reason": "That is no reason"}

    assert (await sandbox.submit("U0DEP1", {"Reason": "disk full"})).ok
    assert sandbox.modal("U0DEP1") is None
    card = await sandbox.wait_for(lambda: sandbox.find("U0OWNER", "Approve"))
    assert (card.text, card.buttons, card.edited) == ("disk full", ["Approve", "Deny"], False)

    assert (await sandbox.press("U0OWNER", "Approve")).ok
    thanks = await sandbox.wait_for(lambda: sandbox.find("U0OWNER", "Thank you"))
    assert thanks.ephemeral
    now = sandbox.current(card)
    assert (now.shown, now.buttons, now.edited) == ("Approved by <@U0OWNER>", [], True)
    assert sandbox.find("U0DEP1", "Thank you") is None


async def test_a_button_that_is_gone_can_still_be_pressed_on_a_remembered_card(sandbox: Sandbox, bolt: AsyncApp) -> None:
    await sandbox.command("U0DEP1", "/ask")
    await sandbox.wait_for(lambda: sandbox.modal("U0DEP1"))
    await sandbox.submit("U0DEP1", {"Reason": "disk full"})
    card = await sandbox.wait_for(lambda: sandbox.find("U0OWNER", "Approve"))
    await sandbox.press("U0OWNER", "Approve")
    await sandbox.wait_for(lambda: not sandbox.current(card).buttons)
    with pytest.raises(GestureError, match="no button 'Approve'"):
        await sandbox.press("U0OWNER", "Approve")
    stale = await sandbox.press("U0OWNER", "Approve", message=card)
    assert stale.acked
    assert stale.payload["actions"][0]["value"] == "R-1"


async def test_typed_text_survives_an_update_of_the_form_and_the_app_gets_the_menus_choice_at_once(
    sandbox: Sandbox, bolt: AsyncApp
) -> None:
    await sandbox.command("U0DEP1", "/ask")
    await sandbox.wait_for(lambda: sandbox.modal("U0DEP1"))
    assert await sandbox.change("U0DEP1", "Reason", "typed before") is None
    heard = await sandbox.change("U0DEP1", "Size", "Large")
    assert heard.payload["actions"][0]["selected_option"]["value"] == "L"
    assert heard.payload["view"]["state"]["values"]["reason"]["text"]["value"] == "typed before"
    form = await sandbox.wait_for(lambda: "You chose L" in sandbox.modal("U0DEP1").shown and sandbox.modal("U0DEP1"))
    assert (form.value("Reason"), form.value("Size")) == ("typed before", "L")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x" * 21, "Please enter no more than 20 characters."),
        ("ab", "Please enter at least 3 characters."),
    ],
)
async def test_slack_itself_refuses_a_text_that_breaks_the_inputs_bounds(
    sandbox: Sandbox, bolt: AsyncApp, text: str, said: str
) -> None:
    await sandbox.command("U0DEP1", "/ask")
    await sandbox.wait_for(lambda: sandbox.modal("U0DEP1"))
    assert (await sandbox.submit("U0DEP1", {"Reason": text})).errors == {"reason": said}
    assert sandbox.modal("U0DEP1").errors == {"Reason": said}


async def test_a_trigger_works_once_and_only_for_its_seconds(
    sandbox: Sandbox, peer: Any, client: AsyncWebClient, form: dict[str, Any]
) -> None:
    async def word(trigger: str) -> str:
        with pytest.raises(SlackApiError) as refused:
            await client.views_open(trigger_id=trigger, view=form)
        return str(refused.value.response["error"])

    used = (await sandbox.command("U0OWNER", "/ask")).payload["trigger_id"]
    await client.views_open(trigger_id=used, view=form)
    assert await word(used) == "exchanged_trigger_id"
    assert await word("1.2.3") == "invalid_trigger_id"
    old = (await sandbox.command("U0OWNER", "/ask")).payload["trigger_id"]
    sandbox.world.triggers[old].at -= 3.1
    assert await word(old) == "expired_trigger_id"


async def test_an_update_with_an_old_hash_and_a_second_external_id_are_refused(
    sandbox: Sandbox, peer: Any, client: AsyncWebClient, form: dict[str, Any]
) -> None:
    trigger = (await sandbox.command("U0OWNER", "/ask")).payload["trigger_id"]
    form["external_id"] = "mine"
    view = (await client.views_open(trigger_id=trigger, view=form))["view"]
    await client.views_update(external_id="mine", view=form, hash=view["hash"])
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await client.views_update(view_id=view["id"], view=form, hash=view["hash"])
    other = (await sandbox.command("U0DEP1", "/ask")).payload["trigger_id"]
    with pytest.raises(SlackApiError, match="duplicate_external_id"):
        await client.views_open(trigger_id=other, view=form)
    await sandbox.close("U0OWNER")
    with pytest.raises(SlackApiError, match="not_found"):
        await client.views_update(view_id=view["id"], view=form)


async def test_pushed_forms_stack_and_closing_sends_an_event(
    sandbox: Sandbox, peer: Any, client: AsyncWebClient, form: dict[str, Any]
) -> None:
    trigger = (await sandbox.command("U0OWNER", "/ask")).payload["trigger_id"]
    await client.views_open(trigger_id=trigger, view=form)
    click = await sandbox.change("U0OWNER", "Size", "Small")
    pushed = await client.views_push(trigger_id=click.payload["trigger_id"], view={**form, "callback_id": "upper"})
    root = sandbox.modals("U0OWNER")[0].id
    assert (pushed["view"]["root_view_id"], pushed["view"]["previous_view_id"]) == (root, root)
    await sandbox.close("U0OWNER")
    assert [f.callback_id for f in sandbox.modals("U0OWNER")] == ["form"]
    await sandbox.close("U0OWNER", everything=True)
    closed = sandbox.timeline.of("delivery", "view_closed")
    assert [(c.sent["view"]["callback_id"], c.sent["is_cleared"]) for c in closed] == [("upper", False), ("form", True)]


@pytest.mark.parametrize(
    ("view", "place"),
    [
        ({"title": {"type": "plain_text", "text": "x" * 25}}, "/view/title/text"),
        ({"submit": None}, "/view/submit"),
        ({"private_metadata": "x" * 3001}, "/view/private_metadata"),
        ({"blocks": [{"type": "divider"}] * 101}, "/view/blocks"),
    ],
)
async def test_a_form_beyond_slacks_limits_is_refused_with_its_place(
    sandbox: Sandbox, peer: Any, client: AsyncWebClient, form: dict[str, Any], view: dict[str, Any], place: str
) -> None:
    trigger = (await sandbox.command("U0OWNER", "/ask")).payload["trigger_id"]
    with pytest.raises(SlackApiError) as refused:
        await client.views_open(trigger_id=trigger, view={**form, **view})
    assert refused.value.response["error"] == "invalid_arguments"
    assert f"[json-pointer:{place}]" in refused.value.response["response_metadata"]["messages"][0]
    assert sandbox.modal("U0OWNER") is None


async def test_a_form_with_inputs_needs_a_button_that_sends_it(
    sandbox: Sandbox, peer: Any, client: AsyncWebClient, form: dict[str, Any]
) -> None:
    trigger = (await sandbox.command("U0OWNER", "/ask")).payload["trigger_id"]
    del form["submit"]
    with pytest.raises(SlackApiError, match="missing required field: submit"):
        await client.views_open(trigger_id=trigger, view=form)


async def test_the_home_opens_and_its_buttons_work(sandbox: Sandbox, bolt: AsyncApp) -> None:
    assert (await sandbox.open_home("U0OWNER")).acked
    home = await sandbox.wait_for(lambda: sandbox.home("U0OWNER"))
    assert (home.shown.splitlines()[0], home.buttons) == ("At home", ["Refresh"])
    click = await sandbox.press("U0OWNER", "Refresh", where="home")
    assert click.payload["container"] == {"type": "view", "view_id": home.id}


async def test_a_message_shortcut_carries_the_message(sandbox: Sandbox, bolt: AsyncApp) -> None:
    await sandbox.say("U0OWNER", "sync is down", "C0GENERAL")
    message = await sandbox.wait_for(lambda: sandbox.find("U0DEP1", "sync is down"))
    assert (await sandbox.message_shortcut("U0DEP1", "about", message)).ok
    await sandbox.wait_for(lambda: sandbox.find("U0DEP1", "About sync is down"))
    with pytest.raises(GestureError, match="no message shortcut"):
        await sandbox.message_shortcut("U0DEP1", "ask", message)
    with pytest.raises(GestureError, match="no global shortcut"):
        await sandbox.shortcut("U0DEP1", "about")


async def test_a_shortcut_opens_the_form(sandbox: Sandbox, bolt: AsyncApp) -> None:
    assert (await sandbox.shortcut("U0OWNER", "ask")).ok
    assert await sandbox.wait_for(lambda: sandbox.modal("U0OWNER"))
    with pytest.raises(GestureError, match="no global shortcut"):
        await sandbox.shortcut("U0OWNER", "nothing")


async def test_a_direct_message_is_received_and_answered_in_its_thread(sandbox: Sandbox, bolt: AsyncApp) -> None:
    await sandbox.message_bot("U0OWNER", "what waits? @dev")
    answer = await sandbox.wait_for(lambda: sandbox.find("U0OWNER", "heard"))
    assert answer.text == "heard what waits? <@U0DEP1>"
    assert answer.thread_ts == sandbox.messages("U0OWNER")[0].ts


async def test_mentions_in_a_command_arrive_escaped_where_the_manifest_asks_for_it(
    sandbox: Sandbox, bolt: AsyncApp
) -> None:
    await sandbox.command("U0OWNER", "/who", "@dev and @nobody")
    assert sandbox.messages("U0OWNER")[-1].text == "you typed <@U0DEP1|dev> and @nobody"
    assert sandbox.messages("U0OWNER")[-1].ephemeral


@pytest.mark.parametrize(
    ("user", "command", "thread", "said"),
    [
        ("U0OWNER", "/nothing", "", "/nothing is not a valid command"),
        ("U0PE3", "/ask", "", "/ask is not a valid command"),
        ("U0OWNER", "/ask", "1.1", "/ask is not supported in threads"),
        ("U0GUEST", "/ask", "", "/ask can’t be used by guests"),
    ],
)
async def test_slack_itself_refuses_commands_that_it_does_not_pass_on(
    sandbox: Sandbox, peer: Any, user: str, command: str, thread: str, said: str
) -> None:
    sandbox.world.workspace.settings.guests_may_use_commands = False
    channel = "C0EXT" if user == "U0PE3" else "C0GENERAL"
    outcome = await sandbox.command(user, command, channel=channel, thread=thread)
    assert outcome.error == "not_sent"
    assert sandbox.messages(channel, as_user=user)[-1].text.startswith(said)
    assert peer.requests == []


async def test_a_connected_persons_click_and_form_name_the_teams_as_slack_does(
    sandbox: Sandbox, peer: Any, client: AsyncWebClient, draw: Draw, form: dict[str, Any]
) -> None:
    await client.chat_postMessage(channel="C0EXT", text="x", blocks=draw("x", "Approve"))
    click = (await sandbox.press("U0PE3", "Approve")).payload
    assert click["user"]["team_id"] == "T0PROV"
    assert click["team"] == {"id": "T0HOME", "domain": "example-health"}
    await client.views_open(trigger_id=click["trigger_id"], view=form)
    sent = (await sandbox.submit("U0PE3", {"Reason": "right"})).payload
    assert (sent["team"]["id"], sent["user"]["team_id"]) == ("T0PROV", "T0PROV")
    assert sent["view"]["app_installed_team_id"] == "T0HOME"


async def test_a_click_carries_what_slack_sends_with_it(
    sandbox: Sandbox, peer: Any, client: AsyncWebClient, draw: Draw
) -> None:
    posted = await client.chat_postMessage(channel="U0OWNER", text="x", blocks=draw("x", "Approve"))
    payload = (await sandbox.press("U0OWNER", "Approve")).payload
    assert payload["user"] == {"id": "U0OWNER", "username": "olga", "name": "olga", "team_id": "T0HOME"}
    assert payload["channel"] == {"id": posted["channel"], "name": "directmessage"}
    place = {"type": "message", "message_ts": posted["ts"], "channel_id": posted["channel"], "is_ephemeral": False}
    assert payload["container"] == place
    assert payload["message"]["blocks"][1]["block_id"] == "row"
    text = {"type": "plain_text", "text": "Approve", "emoji": True}
    done = {k: v for k, v in payload["actions"][0].items() if k != "action_ts"}
    assert done == {"action_id": "approve", "block_id": "row", "type": "button", "text": text, "value": "R-1"}
    assert (payload["enterprise"], payload["is_enterprise_install"]) == (None, False)


async def test_a_deactivated_person_can_do_nothing(sandbox: Sandbox, peer: Any) -> None:
    with pytest.raises(GestureError, match="deactivated"):
        await sandbox.command("U0LEFT", "/ask")


async def test_another_process_does_the_same_over_http(sandbox: Sandbox, bolt: AsyncApp) -> None:
    async with RemoteSandbox(sandbox.page_url) as remote:
        assert (await remote.do("command", user="U0DEP1", command="/ask"))["acked"]
        await remote.wait_for(lambda: remote.modal("U0DEP1"))
        values = {"reason": {"text": "far away"}}
        assert (await remote.do("submit", user="U0DEP1", values=values))["acked"]
        card = await remote.wait_for(lambda: remote.find("U0OWNER", "Approve"))
        assert (await remote.press("U0OWNER", "Approve", card))["acked"]
        await remote.wait_for(lambda: remote.find("U0OWNER", "Approved by"))
        assert [x["name"] for x in await remote.timeline() if x["kind"] == "call"].count("views.open") == 1
        with pytest.raises(GestureError, match="sees no button"):
            await remote.press("U0OWNER", "Approve")
