"""The state of a running sandbox: messages, views, triggers, response URLs, and the notification of changes.

Slack's rules hold: a `ts` names a message and grows; a trigger works once and briefly; a view's hash changes
with every update. Times are Unix seconds, as in Slack's own payloads.
"""

import asyncio
import copy
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from sandbox.timeline import Timeline
from sandbox.workspace import SLACKBOT, Channel, Json, User, Workspace


@dataclass
class Message:
    """One message; `seen_by` limits an ephemeral one to that person. `versions` keeps what it said before."""

    ts: str
    channel: str
    user: str
    text: str
    blocks: list[Json] = field(default_factory=list)
    thread_ts: str = ""
    edited: str = ""
    seen_by: str = ""
    bot_id: str = ""
    app_id: str = ""
    metadata: Json | None = None
    broadcast: bool = False
    team: str = ""
    warnings: list[str] = field(default_factory=list)
    client_msg_id: str = ""

    @property
    def ephemeral(self) -> bool:
        """Whether only one person sees it."""
        return bool(self.seen_by)


@dataclass
class View:
    """A modal or App Home; `values` is what its person has entered, as `state.values` of Slack."""

    id: str
    type: str
    user: str
    body: Json
    hash: str
    root: str
    previous: str = ""
    values: Json = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    notice: str = ""
    busy: bool = False
    channel: str = ""
    version: int = 1

    @property
    def blocks(self) -> list[Json]:
        """The blocks as the app sent them, each with its block_id."""
        blocks: list[Json] = self.body.get("blocks", [])
        return blocks


@dataclass
class Trigger:
    """A trigger id: whose gesture it was, when it was given, and whether it has been exchanged."""

    id: str
    user: str
    at: float
    view: str = ""
    used: bool = False


@dataclass
class ResponseUrl:
    """The place a response_url leads to, and how often it may still be used."""

    token: str
    user: str
    channel: str
    at: float
    left: int
    message_ts: str = ""
    ephemeral: bool = False
    thread_ts: str = ""


class World:
    """The state of the running look-alike. One event loop only; nothing here awaits except `changed`."""

    def __init__(self, workspace: Workspace) -> None:
        """Start with the configured workspace and no messages."""
        self.workspace = workspace
        self.timeline = Timeline(workspace.settings.timeline_length)
        self.messages: dict[str, list[Message]] = {}
        self.views: dict[str, View] = {}
        self.stacks: dict[str, list[str]] = {}
        self.homes: dict[str, View] = {}
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.read: dict[tuple[str, str], str] = {}
        self.tickets: set[str] = set()
        self.base_url = ""
        self.version = 0
        self.pages = 0
        self._last_micro = 0
        self._waiters: set[asyncio.Future[None]] = set()

    # people and places

    def user(self, user_id: str) -> User | None:
        """The person with this id, or None."""
        return next((u for u in self.workspace.users if u.id == user_id), None)

    def channel(self, channel_id: str) -> Channel | None:
        """The conversation with this id, or None."""
        return next((c for c in self.workspace.channels if c.id == channel_id), None)

    def im(self, user_id: str) -> Channel:
        """The direct message between the app and this person, opened at its first use."""
        for channel in self.workspace.channels:
            if channel.im_user == user_id:
                return channel
        app = self.workspace.app
        opened = Channel(
            id="D0" + user_id[1:], name="directmessage", members=[user_id, app.bot_user_id],
            team_id=app.team_id, is_private=True, im_user=user_id,
        )  # fmt: skip
        self.workspace.channels.append(opened)
        return opened

    def shares_a_channel(self, user_id: str) -> bool:
        """Whether the app's team and this person meet in any channel."""
        app = self.workspace.app
        return any(
            user_id in c.members and app.team_id in (c.team_id, *c.shared_with)
            for c in self.workspace.channels
            if not c.is_im
        )

    # ids

    def next_ts(self) -> str:
        """A message id that is also its time in seconds; never given twice, always growing."""
        micro = max(int(time.time() * 1_000_000), self._last_micro + 1)
        self._last_micro = micro
        return f"{micro // 1_000_000}.{micro % 1_000_000:06d}"

    def new_id(self, prefix: str) -> str:
        """An id of Slack's looks, for example `V` followed by ten letters and digits."""
        return prefix + secrets.token_hex(5).upper()

    def new_trigger(self, user_id: str, view: str = "") -> str:
        """A fresh trigger id for one gesture."""
        token = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**9)}.{secrets.token_hex(16)}"
        self.triggers[token] = Trigger(token, user_id, time.time(), view)
        return token

    def new_response_url(self, user_id: str, channel: str, message: Message | None = None) -> str:
        """A fresh response_url for one gesture; absolute, below this server."""
        token = secrets.token_urlsafe(18)
        self.response_urls[token] = ResponseUrl(
            token, user_id, channel, time.time(), self.workspace.settings.response_url_uses,
            message.ts if message else "", message.ephemeral if message else False,
            message.thread_ts if message else "",
        )  # fmt: skip
        return f"{self.base_url}/response/{self.workspace.app.team_id}/{token}"

    def use_ticket(self, ticket: str) -> bool:
        """Spend the ticket of a WebSocket address; False if it was spent before or never given."""
        known = ticket in self.tickets
        self.tickets.discard(ticket)
        return known

    # messages

    def find(self, channel: str, ts: str) -> Message | None:
        """The message with this ts in this conversation, or None."""
        return next((m for m in self.messages.get(channel, []) if m.ts == ts), None)

    def add(self, message: Message) -> Message:
        """Add a message and wake everything that waits for a change."""
        self.messages.setdefault(message.channel, []).append(message)
        self.touch()
        return message

    def remove(self, message: Message) -> None:
        """Delete a message."""
        self.messages[message.channel].remove(message)
        self.touch()

    def slackbot(self, channel: str, user_id: str, text: str) -> Message:
        """What Slack itself says to one person, for example that a command failed."""
        return self.add(Message(self.next_ts(), channel, SLACKBOT, text, seen_by=user_id))

    def visible(self, channel: str, user_id: str = "") -> Iterator[Message]:
        """The messages of a conversation that this person sees, oldest first."""
        for message in self.messages.get(channel, []):
            if not message.seen_by or message.seen_by == user_id:
                yield message

    def conversations(self, user_id: str) -> list[Channel]:
        """This person's sidebar: their channels, and the app's direct message."""
        places = [c for c in self.workspace.channels if user_id in c.members and not c.is_im]
        user = self.user(user_id)
        at_home = user is not None and user.team_id == self.workspace.app.team_id
        if at_home or any(c.im_user == user_id for c in self.workspace.channels):
            places.append(self.im(user_id))
        return places

    # views

    def top(self, user_id: str) -> View | None:
        """The modal that this person sees, or None."""
        stack = self.stacks.get(user_id, [])
        return self.views[stack[-1]] if stack else None

    def drop_view(self, view_id: str) -> None:
        """Close and delete one modal; those below are visible again."""
        view = self.views.pop(view_id, None)
        if view is not None:
            self.stacks[view.user] = [v for v in self.stacks.get(view.user, []) if v != view_id]
            self.touch()

    # change

    def touch(self) -> None:
        """Signal that something visible changed."""
        self.version += 1
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def changed(self, timeout: float, since: int | None = None) -> bool:
        """Wait until something visible changes; False after `timeout` seconds.

        With `since`, a version, it returns at once if something has changed after it.
        """
        if since is not None and self.version != since:
            return True
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await asyncio.wait_for(waiter, timeout)
        except TimeoutError:
            return False
        finally:
            self._waiters.discard(waiter)
        return True

    def copy_of(self, message: Message) -> Message:
        """A snapshot that later edits do not change."""
        return copy.deepcopy(message)
