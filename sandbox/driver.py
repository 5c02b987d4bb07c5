"""The sandbox for tests: start it, act as anybody, look at anybody's screen, wait for what should appear.

async with Sandbox(workspace) as sb:
    await sb.command("U0PE1", "/breakglass", "directory-admin")
    await sb.submit("U0PE1", {"Reason": "disk full"})
    card = await sb.wait_for(lambda: sb.find("U0OWNER", "Approve"))
    await sb.press("U0OWNER", "Approve", message=card)
"""

import asyncio
import copy
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

from sandbox.delivery import Outcome
from sandbox.errors import GestureError
from sandbox.faults import Faults
from sandbox.hands import Hands, button_in, field_in
from sandbox.paging import Paged
from sandbox.raw_requests import post_raw, verify_url
from sandbox.search import element_by_action, newest_showing, newest_with_button, visible_buttons
from sandbox.seen import Form, Seen
from sandbox.server import LOOPBACK, Server
from sandbox.timeline import Timeline
from sandbox.workspace import Json, User, Workspace
from sandbox.world import View, World

T = TypeVar("T")


class Sandbox:
    """A running look-alike. All of its methods act at once; those that reach the app return an `Outcome`."""

    def __init__(self, workspace: Workspace | Mapping[str, Any], port: int = 0) -> None:
        """Take a workspace, or plain data for one; it listens once it is entered."""
        built = workspace if isinstance(workspace, Workspace) else Workspace.from_dict(workspace)
        self.server = Server(built)
        self.world: World = self.server.world
        self.faults: Faults = self.server.faults
        self._wanted_port = port
        self._hands = Hands(self.world, self.server.gestures)

    async def __aenter__(self) -> Self:
        """Start listening."""
        await self.server.start(self._wanted_port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        await self.server.stop()

    # where it is

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self.server.port

    @property
    def api_url(self) -> str:
        """The base for `SLACK_API_URL`; ends with `/api/`."""
        return f"{self.world.base_url}/api/"

    @property
    def page_url(self) -> str:
        """The page's address; ends with `/`."""
        return f"{self.world.base_url}/"

    @property
    def bot_token(self) -> str:
        """The `xoxb-` token."""
        return self.world.workspace.app.bot_token

    @property
    def app_token(self) -> str:
        """The `xapp-` token."""
        return self.world.workspace.app.app_token

    @property
    def signing_secret(self) -> str:
        """The secret that signs HTTP requests."""
        return self.world.workspace.app.signing_secret

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables of a bot in Socket Mode."""
        return {
            "SLACK_API_URL": self.api_url, "SLACK_BOT_TOKEN": self.bot_token, "SLACK_APP_TOKEN": self.app_token,
            "SLACK_SIGNING_SECRET": self.signing_secret,
        }  # fmt: skip

    @property
    def timeline(self) -> Timeline:
        """Everything that crossed the line."""
        return self.world.timeline

    @property
    def paged(self) -> list[Paged]:
        """Every page that arrived beside Slack, oldest first."""
        return list(self.server.paging.arrived)

    def pager(self, name: str) -> str:
        """An Apprise address whose pages arrive in the inbox under that name."""
        return f"json://{LOOPBACK}:{self.port}/pager/{name}"

    @property
    def pagerduty_url(self) -> str:
        """A stand-in for PagerDuty's Events API."""
        return f"{self.world.base_url}/pagerduty"

    @property
    def sockets(self) -> int:
        """How many Socket Mode connections there are."""
        return len(self.server.delivery.sockets.connected)

    @property
    def pages(self) -> int:
        """How many browser pages look at it now."""
        return self.world.pages

    def person(self, user_id: str) -> User:
        """A person, to look at or to change (`deleted`, `dnd`, …). Raises `GestureError`."""
        user = self.world.user(user_id)
        if user is None:
            raise GestureError(f"there is no user {user_id}")
        return user

    # looking

    def messages(self, where: str, as_user: str = "") -> list[Seen]:
        """The messages of a conversation, oldest first, threads included.

        `where` is a person (their direct message with the app) or a channel. Ephemeral messages show for the person,
        in a channel for `as_user`.
        """
        if self.world.user(where) is not None:
            channel, viewer = self.world.im(where).id, where
        else:
            channel, viewer = where, as_user
        return [Seen(copy.deepcopy(m)) for m in self.world.visible(channel, viewer)]

    def find(self, user: str, wanted: str) -> Seen | None:
        """The newest message that this person sees and that holds this text or a button with this label."""
        return newest_showing(self.world, user, wanted)

    def current(self, message: Seen) -> Seen | None:
        """What a remembered message says now; None if it is gone."""
        now = self.world.find(message.channel, message.ts)
        return Seen(copy.deepcopy(now)) if now else None

    def modal(self, user: str) -> Form | None:
        """The form on top of this person's screen."""
        top = self.world.top(user)
        return Form(copy.deepcopy(top)) if top else None

    def modals(self, user: str) -> list[Form]:
        """The whole stack of forms, the lowest first."""
        return [Form(copy.deepcopy(self.world.views[v])) for v in self.world.stacks.get(user, [])]

    def home(self, user: str) -> Form | None:
        """This person's App Home, once the app has published it."""
        home = self.world.homes.get(user)
        return Form(copy.deepcopy(home)) if home else None

    async def wait_for(self, predicate: Callable[[], T], timeout: float = 10.0) -> T:
        """Wait until the predicate gives something true, and return it. Raises `TimeoutError` with the last lines."""
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        while not (found := predicate()):
            left = end - loop.time()
            if left <= 0:
                recent = [f"{x.kind} {x.name} {x.error}" for x in list(self.timeline.lines)[-8:]]
                raise TimeoutError(f"nothing came within {timeout} s; last: {recent}")
            await self.world.changed(min(left, 0.25))
        return found

    # acting

    async def command(self, user: str, command: str, text: str = "", channel: str = "", thread: str = "") -> Outcome:
        """Type a slash command in a channel, or in the direct message with the app."""
        return await self.server.gestures.command(user, command, text, channel, thread)

    async def message_bot(self, user: str, text: str, thread: str = "") -> Outcome:
        """Write to the app in its direct message."""
        return await self.server.gestures.say(user, text, "", thread)

    async def say(self, user: str, text: str, channel: str, thread: str = "") -> Outcome:
        """Write in a channel."""
        return await self.server.gestures.say(user, text, channel, thread)

    async def press(
        self, user: str, button: str, message: Seen | None = None, where: str = "", value: Any = None
    ) -> Outcome:
        """Press a button, by its text or action_id.

        Looks in `message` (also a remembered one), else where `where` says (`modal`, `home`, a channel), else in the
        open form, then in this person's messages, newest first, then in their App Home. `value` is for menus.
        Raises `GestureError` if there is no such button.
        """
        if message is None and where in ("", "modal") and (view := self.world.top(user)):
            found = button_in(view.blocks, button)
            if found:
                return await self._press_in_view(user, view, found)
        if message is None and where not in ("modal", "home"):
            message = newest_with_button(self.world, user, button, where)
        if message is not None:
            return await self._press_in_message(user, message, button, value)
        home = self.world.homes.get(user)
        found = button_in(home.blocks, button) if home and where in ("", "home") else None
        if home is None or found is None:
            raise GestureError(f"{user} sees no button {button!r}; they see {visible_buttons(self.world, user)}")
        return await self._press_in_view(user, home, found)

    async def _press_in_view(self, user: str, view: View, found: tuple[str, Json]) -> Outcome:
        """Press a found button in a form or the App Home."""
        return await self.server.gestures.click_in_view(user, view, found[0], found[1]["action_id"])

    async def _press_in_message(self, user: str, message: Seen, button: str, value: Any) -> Outcome:
        """Press a button of this very version of a message."""
        found = button_in(message.blocks, button) or element_by_action(message, button)
        if found is None:
            raise GestureError(f"no button {button!r} in this message; there are {message.buttons}")
        return await self.server.gestures.click(user, message.raw, found[0], found[1]["action_id"], value)

    async def change(self, user: str, label: str, value: Any) -> Outcome | None:
        """Fill in an input of the open form, by its label; an Outcome if the app gets the change at once, else None."""
        view = self._hands.view(user)
        block_id, element = field_in(view, label)
        return await self._hands.change(user, view, block_id, element, value)

    async def submit(self, user: str, values: Mapping[str, Any] | None = None) -> Outcome:
        """Fill in what is given (by label) and send the open form. Values: texts, option texts or values, ids, dates.

        Values filled in here are not dispatched one by one; use `change` for inputs that dispatch.
        """
        view = self._hands.view(user)
        for label, value in (values or {}).items():
            block_id, element = field_in(view, label)
            self.server.gestures.enter(user, view, block_id, element["action_id"], value)
        return await self.server.gestures.submit(user, view)

    async def close(self, user: str, *, everything: bool = False) -> Outcome:
        """Close the open form (Cancel), or the whole stack (×)."""
        return await self.server.gestures.close(user, self._hands.view(user), everything=everything)

    async def shortcut(self, user: str, callback_id: str) -> Outcome:
        """Use a global shortcut."""
        return await self.server.gestures.shortcut(user, callback_id)

    async def message_shortcut(self, user: str, callback_id: str, message: Seen) -> Outcome:
        """Use a shortcut on a message."""
        return await self.server.gestures.message_shortcut(user, callback_id, message.channel, message.ts)

    async def open_home(self, user: str, tab: str = "home") -> Outcome:
        """Open the app's Home tab (or its Messages tab)."""
        return await self.server.gestures.open_home(user, tab)

    async def join(self, user: str, channel: str) -> Outcome:
        """Add somebody to a channel."""
        return await self.server.gestures.join(user, channel)

    # replays and raw requests

    async def deliver(self, kind: str, payload: Json) -> Outcome:
        """Send any payload as `slash_commands`, `interactive` or `events_api`."""
        return await self.server.delivery.send(kind, payload)

    async def redeliver(self, outcome: Outcome | None = None) -> Outcome:
        """Send the payload of an outcome (or the last payload) once more, unchanged, as a retry does."""
        last = (outcome.kind, outcome.payload) if outcome else self.server.delivery.last
        if last is None:
            raise GestureError("nothing has been delivered yet")
        return await self.server.delivery.send(*last)

    async def post_raw(
        self, kind: str, payload: Json, *, timestamp: int | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        """A signed HTTP request to `request_url`, whatever sockets there are; `headers` overwrite. Status and body."""
        return await post_raw(self.server.delivery, self.world, kind, payload, timestamp=timestamp, headers=headers)

    async def verify_url(self) -> bool:
        """Slack's url_verification handshake with `request_url`: whether the challenge came back."""
        return await verify_url(self.server.delivery, self.world)

    # sockets

    def cut_sockets(self, seconds: float = 0.0) -> None:
        """Drop every Socket Mode connection without a close frame; refuse new ones for so many seconds."""
        self.faults.bar_sockets(seconds)
        self.server.delivery.sockets.cut()

    async def ask_to_reconnect(self) -> None:
        """Send the `disconnect` envelope that announces a refresh."""
        await self.server.delivery.sockets.ask_to_leave()
