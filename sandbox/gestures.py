"""What a person can do in Slack, and what Slack then shows them: commands, clicks, forms, messages, shortcuts.

Each gesture is delivered to the app and returns an `Outcome`. When the app is late or away, the person sees what Slack
would show: a line from Slackbot, a warning beside the button, or a sentence in the form.
"""

import secrets
from typing import Any

from sandbox import payloads
from sandbox.blocks import elements_of
from sandbox.delivery import FAILED, Delivery, Outcome
from sandbox.errors import GestureError, SlackError
from sandbox.inputs import VALUE_KEYS, entry, faults_of_form
from sandbox.shapes import view_object
from sandbox.web_api.form_answers import TROUBLE, apply_answer
from sandbox.web_api.response_urls import post_response
from sandbox.workspace import Channel, Command, Json, User
from sandbox.world import Message, View, World


class Gestures:
    """The hands of everyone in the workspace."""

    def __init__(self, world: World, delivery: Delivery) -> None:
        """Hands that act in this world and deliver through this line."""
        self.world = world
        self.delivery = delivery
        self.message_values: dict[tuple[str, str, str], Json] = {}

    def person(self, user_id: str) -> User:
        """Somebody who can act. Raises `GestureError` for the unknown and the deactivated."""
        user = self.world.user(user_id)
        if user is None:
            raise GestureError(f"there is no user {user_id}")
        if user.deleted:
            raise GestureError(f"{user_id} is deactivated and cannot sign in")
        return user

    def place(self, user: User, channel_id: str) -> Channel:
        """Where the gesture happens: a channel of this person, else their direct message with the app."""
        if not channel_id or channel_id == "app":
            return self.world.im(user.id)
        channel = self.world.channel(channel_id)
        if channel is None or user.id not in channel.members:
            raise GestureError(f"{user.id} is not in {channel_id}")
        return channel

    # commands and messages

    async def command(self, user_id: str, command: str, text: str = "", channel: str = "", thread: str = "") -> Outcome:
        """Type a slash command. What Slack refuses by itself is shown by Slackbot and not delivered."""
        user = self.person(user_id)
        place = self.place(user, channel)
        known = next((c for c in self.world.workspace.app.commands if c.command == command), None)
        refusal = self._refused_command(user, command, known, thread)
        if refusal or known is None:
            self.world.slackbot(place.id, user.id, refusal)
            return Outcome("slash_commands", error="not_sent", response=refusal)
        said = payloads.with_mentions(self.world, text, named=True) if known.should_escape else text
        payload = payloads.slash_command(self.world, user, command, payloads.escaped(said), place)
        outcome = await self.delivery.send("slash_commands", payload)
        if outcome.error:
            self.world.slackbot(place.id, user.id, f"{command} failed with the error “{outcome.error}”")
        elif outcome.response:
            body = {"text": outcome.response} if isinstance(outcome.response, str) else outcome.response
            self._answer_command(payload, body, outcome)
        return outcome

    def _refused_command(self, user: User, command: str, known: Command | None, thread: str) -> str:
        """Why Slack itself does not pass this command on; empty if it does."""
        settings = self.world.workspace.settings
        if known is None or user.team_id != self.world.workspace.app.team_id:
            return f"{command} is not a valid command. In Slack, all messages that start with the “/” character are interpreted as commands."
        if thread:
            return f"{command} is not supported in threads. Sorry!"
        guest = user.is_restricted or user.is_ultra_restricted
        if guest and not settings.guests_may_use_commands:
            return f"{command} can’t be used by guests of this workspace."
        return ""

    def _answer_command(self, payload: Json, body: Json, outcome: Outcome) -> None:
        """Show what the acknowledgement of a command says."""
        token = payload["response_url"].rsplit("/", 1)[1]
        try:
            post_response(self.world, self.world.response_urls[token], body)
        except SlackError as error:
            outcome.error = error.error
            text = f"{payload['command']} failed with the error “invalid_command_response”"
            self.world.slackbot(payload["channel_id"], payload["user_id"], text)

    async def say(self, user_id: str, text: str, channel: str = "", thread: str = "") -> Outcome:
        """Write a message; the app receives direct messages and mentions, as far as it subscribes to them."""
        user = self.person(user_id)
        place = self.place(user, channel)
        shown = payloads.escaped(payloads.with_mentions(self.world, text, named=False))
        blocks = payloads.rich_text(shown)
        message = Message(
            self.world.next_ts(), place.id, user.id, shown, blocks, thread_ts=thread, team=user.team_id,
            client_msg_id=secrets.token_hex(16),
        )  # fmt: skip
        self.world.add(message)
        self.world.read[(user.id, place.id)] = message.ts
        outcome = Outcome("events_api", acked=True, error="not_subscribed")
        for kind, subscription in self._heard(place, shown):
            if subscription in self.world.workspace.app.events:
                payload = payloads.message_event(self.world, message, place, kind)
                outcome = await self.delivery.event(payload)
        return outcome

    def _heard(self, place: Channel, text: str) -> list[tuple[str, str]]:
        """Which events a message causes, and under which subscription."""
        app = self.world.workspace.app
        if place.is_im:
            return [("message", "message.im")]
        if app.bot_user_id not in place.members:
            return []
        heard = [("message", "message.groups" if place.is_private else "message.channels")]
        return [*heard, ("app_mention", "app_mention")] if f"<@{app.bot_user_id}>" in text else heard

    # clicks

    async def click(self, user_id: str, message: Message, block_id: str, action_id: str, entered: Any = None) -> Outcome:
        """Press a button or choose something in a message (or in a remembered, older version of it).

        Anybody may press any button here, also one that Slack would never show them: a forged click.
        """
        user = self.person(user_id)
        place = self.world.channel(message.channel) or self.place(user, message.channel)
        element = find_element(message.blocks, block_id, action_id)
        value = self._entered(user, element, entered)
        key = (user.id, message.channel, message.ts)
        if value is not None and element["type"] in VALUE_KEYS:
            self.message_values.setdefault(key, {}).setdefault(block_id, {})[action_id] = value
        done = [payloads.action(element, block_id, value)]
        values = self.message_values.get(key)
        payload = payloads.message_action(self.world, user, place, message, done, values)
        outcome = await self.delivery.send("interactive", payload)
        self._mark(message, user.id, failed=bool(outcome.error))
        return outcome

    def _mark(self, message: Message, user_id: str, *, failed: bool) -> None:
        """The warning sign that this person sees beside a button whose click got lost."""
        current = self.world.find(message.channel, message.ts)
        if current is None:
            return
        current.warnings = [w for w in current.warnings if w != user_id] + ([user_id] if failed else [])
        self.world.touch()

    def _entered(self, user: User, element: Json, given: Any) -> Json | None:
        """What was chosen in an element, as Slack writes it."""
        kind = element["type"]
        if kind in VALUE_KEYS:
            return entry(element, given, user.tz)
        if kind == "overflow":
            chosen = [o for o in element["options"] if given in (o["value"], o["text"]["text"])]
            if not chosen:
                raise GestureError(f"no entry {given!r} in this menu")
            return {"type": kind, "selected_option": chosen[0]}
        return None

    async def click_in_view(self, user_id: str, view: View, block_id: str, action_id: str, entered: Any = None) -> Outcome:
        """Press or choose something in a modal or the App Home that the app receives at once."""
        user = self.person(user_id)
        element = find_element(view.blocks, block_id, action_id)
        value = self._entered(user, element, entered)
        self._store(view, block_id, element, value)
        done = [payloads.action(element, block_id, value)]
        outcome = await self.delivery.send("interactive", payloads.view_action(self.world, user, view, done))
        view.notice = TROUBLE if outcome.error else ""
        self.world.touch()
        return outcome

    def _store(self, view: View, block_id: str, element: Json, value: Json | None) -> None:
        """Keep what was entered in the view's state."""
        if value is not None and element["type"] in VALUE_KEYS:
            view.values.setdefault(block_id, {})[element["action_id"]] = value
            view.errors.pop(block_id, None)
            self.world.touch()

    def enter(self, user_id: str, view: View, block_id: str, action_id: str, entered: Any) -> None:
        """Fill in an input without telling the app (Slack keeps it until the form is sent)."""
        user = self.person(user_id)
        element = find_element(view.blocks, block_id, action_id)
        self._store(view, block_id, element, self._entered(user, element, entered))

    # forms

    async def submit(self, user_id: str, view: View) -> Outcome:
        """Send a form; what Slack itself refuses stays at the fields and is not delivered."""
        user = self.person(user_id)
        wrong = faults_of_form(view.blocks, view.values)
        if wrong:
            view.errors = wrong
            self.world.touch()
            return Outcome("interactive", error="not_sent", errors=wrong)
        view.errors, view.notice, view.busy = {}, "", True
        self.world.touch()
        outcome = await self.delivery.send("interactive", payloads.view_submission(self.world, user, view))
        view.busy = False
        apply_answer(self.world, view, outcome)
        self.world.touch()
        return outcome

    async def close(self, user_id: str, view: View, *, everything: bool = False) -> Outcome:
        """Close a form: Cancel and Back close one, × closes the whole stack. The app receives an event if it asked for it."""
        user = self.person(user_id)
        stack = list(self.world.stacks.get(user.id, []))
        everything = everything or bool(view.body.get("clear_on_close"))
        gone = [self.world.views[v] for v in (reversed(stack) if everything else [view.id])]
        outcome = Outcome("interactive", acked=True)
        for closed in gone:
            self.world.drop_view(closed.id)
        for closed in gone:
            if closed.body.get("notify_on_close"):
                payload = payloads.view_closed(self.world, user, closed, cleared=everything)
                outcome = await self.delivery.send("interactive", payload)
        return outcome

    # the rest

    async def shortcut(self, user_id: str, callback_id: str) -> Outcome:
        """Use a global shortcut of the app."""
        user = self.person(user_id)
        self._known_shortcut(callback_id, "global")
        return await self.delivery.send("interactive", payloads.shortcut(self.world, user, callback_id))

    async def message_shortcut(self, user_id: str, callback_id: str, channel_id: str, ts: str) -> Outcome:
        """Use a shortcut of the app on a message that this person sees."""
        user = self.person(user_id)
        self._known_shortcut(callback_id, "message")
        channel, message = self.place(user, channel_id), self.world.find(channel_id, ts)
        if message is None:
            raise GestureError(f"no message {ts} in {channel_id}")
        payload = payloads.message_shortcut(self.world, user, callback_id, channel, message)
        return await self.delivery.send("interactive", payload)

    def _known_shortcut(self, callback_id: str, kind: str) -> None:
        known = [s.callback_id for s in self.world.workspace.app.shortcuts if s.type == kind]
        if callback_id not in known:
            raise GestureError(f"no {kind} shortcut {callback_id!r}; there are: {', '.join(known)}")

    async def open_home(self, user_id: str, tab: str = "home") -> Outcome:
        """Look at the app: its Home (`home`) or its messages (`messages`)."""
        user = self.person(user_id)
        if "app_home_opened" not in self.world.workspace.app.events:
            return Outcome("events_api", error="not_subscribed")
        inner: Json = {
            "type": "app_home_opened", "user": user.id, "channel": self.world.im(user.id).id, "tab": tab,
            "event_ts": self.world.next_ts(),
        }  # fmt: skip
        home = self.world.homes.get(user.id)
        if tab == "home" and home is not None:
            inner["view"] = view_object(self.world, home)
        return await self.delivery.event(payloads.event(self.world, inner))

    async def join(self, user_id: str, channel_id: str) -> Outcome:
        """Add somebody to a channel; the app receives an event where it is a member."""
        channel = self.world.channel(channel_id)
        user = self.world.user(user_id)
        if channel is None or user is None:
            raise GestureError(f"no {user_id} or no {channel_id}")
        if user_id not in channel.members:
            channel.members.append(user_id)
        self.world.touch()
        app = self.world.workspace.app
        if app.bot_user_id not in channel.members or "member_joined_channel" not in app.events:
            return Outcome("events_api", error=FAILED)
        inner = {
            "type": "member_joined_channel", "user": user_id, "channel": channel_id, "team": user.team_id,
            "channel_type": "G" if channel.is_private else "C", "event_ts": self.world.next_ts(),
        }  # fmt: skip
        return await self.delivery.event(payloads.event(self.world, inner, channel))


def find_element(blocks: list[Json], block_id: str, action_id: str) -> Json:
    """The element with these ids. Raises `GestureError`."""
    for block in blocks:
        if block["block_id"] == block_id:
            for element in elements_of(block):
                if element.get("action_id") == action_id:
                    return element
    raise GestureError(f"nothing with the ids {block_id}/{action_id} is on the screen")
