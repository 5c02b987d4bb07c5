"""The sandbox from another process, over its `/sandbox/…` address: the same gestures, the same words, all awaited.

async with RemoteSandbox("http://127.0.0.1:4390/") as remote:
    await remote.do("command", user="U0PE1", command="/breakglass", text="directory-admin")
    card = await remote.wait_for(lambda: remote.find("U0OWNER", "Approve"))
    await remote.press("U0OWNER", "Approve", card)
"""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

import aiohttp

from sandbox.errors import GestureError
from sandbox.hands import button_in
from sandbox.seen import shown_text
from sandbox.workspace import Json


class RemoteSandbox:
    """A running sandbox at some address. Messages and views are the JSON of `sandbox.screens`."""

    def __init__(self, url: str) -> None:
        """`url` is the page's address."""
        self.url = url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the line."""
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up."""
        if self._session is not None:
            await self._session.close()

    async def _json(self, method: str, path: str, body: Json | None = None) -> Json:
        """One request. Raises `GestureError` with the server's sentence when it says no."""
        if self._session is None:
            raise RuntimeError("use the remote sandbox as `async with`")
        async with self._session.request(method, self.url + path, json=body) as response:
            if response.status == 404:
                raise GestureError(await response.text())
            answer: Json = await response.json()
            if response.status != 200:
                raise GestureError(str(answer.get("error", answer)))
            return answer

    async def do(self, gesture: str, **arguments: Any) -> Json:
        """A gesture by name: command, say, click, click_in_view, enter, submit, close, shortcut, open_home, …"""
        return await self._json("POST", f"/sandbox/do/{gesture}", arguments)

    async def screen(self, user: str) -> Json:
        """Everything that a person sees."""
        return await self._json("GET", f"/sandbox/screen?user={user}")

    async def timeline(self, after: int = 0) -> list[Json]:
        """What crossed the line after a number, at most 500 lines."""
        lines: list[Json] = (await self._json("GET", f"/sandbox/timeline?after={after}"))["lines"]
        return lines

    async def fault(self, fault: str, **arguments: Any) -> Json:
        """Switch a fault on or off; see `Control.set_fault`."""
        return await self._json("POST", "/sandbox/faults", {"fault": fault, **arguments})

    async def modal(self, user: str) -> Json | None:
        """The form on top of a person's screen."""
        views = (await self.screen(user))["views"]
        return views[-1] if views else None

    async def find(self, user: str, wanted: str) -> Json | None:
        """The newest message with this text, or with a button of this name."""
        places = (await self.screen(user))["conversations"]
        messages = sorted((m for c in places for m in c["messages"]), key=lambda m: m["ts"], reverse=True)
        for message in messages:
            blocks = message["blocks"]
            if wanted in message["text"] or wanted in shown_text(blocks) or button_in(blocks, wanted):
                found: Json = message
                return found
        return None

    async def press(self, user: str, button: str, message: Json | None = None) -> Json:
        """Press a button, by its text or action_id, in a message (else in the newest one that has it)."""
        message = message or await self.find(user, button)
        found = button_in(message["blocks"], button) if message else None
        if message is None or found is None:
            raise GestureError(f"{user} sees no button {button!r}")
        place = {"channel": message["channel"], "ts": message["ts"]}
        return await self.do("click", user=user, block_id=found[0], action_id=found[1]["action_id"], **place)

    async def wait_for(self, question: Callable[[], Awaitable[Any]], timeout: float = 10.0) -> Any:
        """Ask again until the answer is something. Raises `TimeoutError`."""
        async with asyncio.timeout(timeout):
            while not (answer := await question()):  # noqa: ASYNC110 - there is no event across processes
                await asyncio.sleep(0.05)
        return answer
