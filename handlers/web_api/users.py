"""User profiles and Do Not Disturb from `users.info` and `dnd.info`, cached for a short time.

A failed look-up raises LookupFailed and is never cached, so no approval rests on it. Concurrent look-ups of one person
share one call. E-mail addresses and display names carry no authority (design, section 1).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import Clock
from bot.domain.errors import LookupFailed
from bot.domain.policy.people import Person, Profile
from handlers.web_api.errors import CALL_ERRORS, RATE_LIMITED, verdict

TIMEOUT = 2.0  # seconds; a person waits for the answer
_REMEMBERED = 5000


_PAGE, _PAGES = 200, 20
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class _Known:
    profile: Profile
    at: float


@dataclass(frozen=True, slots=True)
class _Window:
    """The current or next Do Not Disturb window; None if there is none."""

    window: tuple[datetime, datetime] | None
    at: float


class _OneCall(Generic[_Answer]):
    """Whoever looks a person up while another does so waits for that call's answer; a cancelled caller ends it for nobody."""

    def __init__(self, ask: Callable[[str], Coroutine[Any, Any, _Answer]]) -> None:
        self._ask = ask
        self._asking: dict[str, asyncio.Task[_Answer]] = {}

    async def answer(self, user: str) -> _Answer:
        asking = self._asking.get(user)
        if asking is None:
            asking = self._asking[user] = asyncio.create_task(self._ask(user))
            asking.add_done_callback(lambda done: self._answered(user, done))
        return await asyncio.shield(asking)

    def _answered(self, user: str, done: asyncio.Task[_Answer]) -> None:
        """Removes the finished call, and retrieves its exception where every caller was cancelled."""
        self._asking.pop(user, None)
        if not done.cancelled():
            done.exception()


class SlackDirectory:
    """`bot.ports.store.Directory` over the Web API. `timeout` in seconds."""

    def __init__(self, client: AsyncWebClient, clock: Clock, timeout: float = TIMEOUT) -> None:
        self._client, self._clock, self._timeout = client, clock, timeout
        self._known: dict[str, _Known] = {}
        self._windows: dict[str, _Window] = {}
        self._profiles, self._sleep = _OneCall(self._ask), _OneCall(self._ask_window)
        self._quiet_until = 0.0

    async def profile(self, person: Person, max_age: float) -> Profile:
        """At most `max_age` seconds old; `profile.person` is Slack's own team and id. Raises LookupFailed."""
        known = self._known.get(person.user)
        if known is not None and self._clock.monotonic() - known.at <= max_age:
            return known.profile
        return await self._profiles.answer(person.user)

    def last_known(self, person: Person) -> Profile | None:
        """The last profile that was looked up, of any age; None where there is none."""
        known = self._known.get(person.user)
        return known.profile if known is not None else None

    async def quiet_until(self, person: Person, max_age: float) -> datetime | None:
        """Until when Do Not Disturb holds their notifications back now. A manual snooze is invisible to apps."""
        known = self._windows.get(person.user)
        if known is None or self._clock.monotonic() - known.at > max_age:
            known = await self._sleep.answer(person.user)
        now = self._clock.now()
        return known.window[1] if known.window and known.window[0] <= now < known.window[1] else None

    async def permalink(self, channel: str, ts: str) -> str:
        """The address of one of our messages. Raises LookupFailed."""
        try:
            call = self._client.chat_getPermalink(channel=channel, message_ts=ts)
            answer = await asyncio.wait_for(call, self._timeout)
        except CALL_ERRORS as error:
            raise LookupFailed(f"Slack did not say where the card stands ({verdict(error).error}).") from None
        return str(answer.get("permalink") or "")

    async def members(self, channel: str) -> list[str]:
        """The user ids of a channel's members, page by page. Raises LookupFailed."""
        found: list[str] = []
        cursor = ""
        for _ in range(_PAGES):
            try:
                call = self._client.conversations_members(channel=channel, cursor=cursor, limit=_PAGE)
                answer = await asyncio.wait_for(call, self._timeout)
            except CALL_ERRORS as error:
                raise LookupFailed(f"Slack did not say who is in the channel ({verdict(error).error}).") from None
            found += [str(user) for user in answer.get("members") or []]
            metadata = answer.get("response_metadata") or {}
            cursor = str(metadata.get("next_cursor") or "")
            if not cursor:
                return found
        raise LookupFailed("The channel has too many people to look at.")

    async def _ask(self, user: str) -> Profile:
        asked_at = self._clock.monotonic()
        if asked_at < self._quiet_until:
            raise LookupFailed("Slack asks us to wait before the next look-up; press again in a minute.")
        try:
            answer = await asyncio.wait_for(self._client.users_info(user=user), self._timeout)
        except CALL_ERRORS as error:
            judged = verdict(error)
            if judged.error == RATE_LIMITED:
                self._quiet_until = asked_at + judged.wait
            raise LookupFailed(f"Slack did not say who this is ({judged.error}); press again.") from None
        profile = _profile(answer.get("user"), user)
        self._remember(user, _Known(profile, asked_at))
        return profile

    async def _ask_window(self, user: str) -> _Window:
        asked_at = self._clock.monotonic()
        try:
            answer = await asyncio.wait_for(self._client.dnd_info(user=user), self._timeout)
        except CALL_ERRORS as error:
            raise LookupFailed(f"Slack did not say whether they sleep ({verdict(error).error}).") from None
        if len(self._windows) >= _REMEMBERED:
            self._windows.clear()
        found = self._windows[user] = _Window(_window(answer.data), asked_at)
        return found

    def _remember(self, user: str, known: _Known) -> None:
        self._known.pop(user, None)
        self._known[user] = known
        while len(self._known) > _REMEMBERED:
            self._known.pop(next(iter(self._known)))


def _window(found: object) -> tuple[datetime, datetime] | None:
    """Parses `dnd.info`; an unreadable answer is no window."""
    told: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    start, end = told.get("next_dnd_start_ts"), told.get("next_dnd_end_ts")
    if not told.get("dnd_enabled") or not isinstance(start, int) or not isinstance(end, int) or not 0 < start < end < 2**40:
        return None
    return datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)


def _profile(found: object, asked: str) -> Profile:
    """Parses `users.info`. Raises LookupFailed where the answer is about another user or has no team."""
    user: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    team = user.get("team_id")
    if user.get("id") != asked or not isinstance(team, str) or not team:
        raise LookupFailed("Slack did not say who this is; press again.")
    shown = user.get("profile")
    names = (user.get("real_name"), shown.get("real_name") if isinstance(shown, Mapping) else None, user.get("name"))
    return Profile(
        person=Person(team, asked),
        name=next((name for name in names if isinstance(name, str) and name), asked),
        deleted=bool(user.get("deleted")),
        is_bot=bool(user.get("is_bot")) or asked == "USLACKBOT",
        is_guest=bool(user.get("is_restricted")) or bool(user.get("is_ultra_restricted")),
        is_stranger=bool(user.get("is_stranger")),
        time_zone=str(user.get("tz") or "UTC"),
    )
