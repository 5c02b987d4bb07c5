"""The example organisation as Slack people and channels, difficult accounts included: plain data for the sandbox.

The example ships without addresses for pages, since nobody else could own them. The demo uses a copy of the folder with one
for each accountable person and one for a rota, which lead into the sandbox's inbox; they come from the environment as usual.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bot.clock import SystemClock
from bot.domain.authority.authorization import named_for
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from handlers.web_api.manifest import manifest

ASKER, APPROVER = "U0PE1", "U0OWNER"
START = {"left": ASKER, "right": APPROVER, "leftAt": "app", "rightAt": "app", "panel": "script"}
_BOT = "U0BOT"
_PERSON = re.compile(r"^(  \w+: \{id: (U\w+), name: [^}]*)\}", re.MULTILINE)
_PATIENCE = re.compile(r"^(  urgent:.*\n    expires_after: )45m$", re.MULTILINE)
_URGENT = "225m"  # at 15 times the pace, the waiting request lives for 15 minutes
_ROTA = re.compile(r"^  security:\n    source: static\n", re.MULTILINE)
REVIEW_SCALE = 2880  # of the demo of reviews: a day lasts 30 seconds
MATRIX = "responsibility.yaml"
_REVIEWS = "\nreview: {every: 180d, window: 2 working days, silence: narrow}\ndefault_escalation: standard\n"
_INCIDENTS = "DEMO_PAGE_SECURITY"
_NAMES = {"U0KH1": "Karim Haddou", "U0KH2": "Lotte Visser", "U0KHLEAD": "Bram de Wit"}
_AWKWARD: tuple[dict[str, Any], ...] = (
    {
        "id": "U0GUEST",
        "name": "gil",
        "real_name": "Gil Santos",
        "team_id": "T0HOME",
        "is_restricted": True,
        "title": "Guest",
    },
    {"id": "U0GONE", "name": "walter", "real_name": "Walter Lang", "team_id": "T0HOME", "deleted": True, "title": "Left"},
    {"id": "U0OUTSIDE", "name": "omar", "real_name": "Omar Aziz", "team_id": "T0ELSE", "title": "Nobody here knows him"},
    {
        "id": "U0ADMIN",
        "name": "ada",
        "real_name": "Ada Lund",
        "team_id": "T0HOME",
        "is_admin": True,
        "title": "Slack admin",
    },
)


def daytime_zone(now: datetime) -> str:
    """The demo's time zone: London, or at night there a zone where it is morning.

    Reviews wait for the morning (`bot.domain.timing.quiet_hours`), and so would somebody who plays at night.
    """
    if 9 <= now.astimezone(ZoneInfo("Europe/London")).hour < 16:
        return "Europe/London"
    east = (10 - now.astimezone(UTC).hour + 12) % 24 - 12
    return f"Etc/GMT{-east:+d}"  # POSIX inverts the sign


def workspace(policy: Policy, scale: int, more: Sequence[Mapping[str, str]] = ()) -> dict[str, Any]:
    """The sandbox's configuration: teams, people, channels, and the app as its manifest declares it; `more` as `script` takes it."""
    zone = {"tz": daytime_zone(SystemClock().now())}
    made = manifest(prefix="", url=None)
    features, scopes = made["features"], made["oauth_config"]["scopes"]["bot"]
    return {
        "banner": f"Sandbox · {policy.organisation} · demo clock {scale}×",
        "teams": _teams(policy),
        "users": [person | zone for person in (*_people(policy), *_AWKWARD)],
        "channels": _channels(policy),
        "app": {
            "name": "Countersign", "bot_user_id": _BOT, "scopes": scopes,
            "description": "The provider asks. The owner signs.",
            "home_enabled": features["app_home"]["home_tab_enabled"],
            "events": made["settings"]["event_subscriptions"]["bot_events"],
            "commands": [
                {k: c[k] for k in ("command", "description", "usage_hint", "should_escape") if k in c}
                for c in features["slash_commands"]
            ],
            "shortcuts": features["shortcuts"],
        },
        "script": script(more, reviews=scale == REVIEW_SCALE),
        "start": START,
    }  # fmt: skip


def script(more: Sequence[Mapping[str, str]] = (), *, reviews: bool = False) -> list[Mapping[str, str]]:
    """Acts to try; `reviews`: on the clock that shows a review from its first day to its end. `persona` is the person whom the act's
    link shows on screen; `link` an address to open beside it. `more` are acts of this run, before the last two."""
    return [*_REVIEW_ACTS] if reviews else [*_ACTS[:-2], *more, *_ACTS[-2:]]


_ACTS: list[dict[str, str]] = [
        {
            "text": "The owner signs.",
            "detail": "Olga (right) has one message. Press Approve: Pavel (left) gets the runbook's steps at once."
            " To cheat first, choose “Press as Pavel Horak” above her messages and press Approve: he is refused.",
        },
        {
            "text": "Silence escalates, and never approves.", "persona": "U0DEP1", "at": "app",
            "detail": "As Pavel type /breakglass directory-admin-emergency, fill in a target and a ticket such as INC1001,"
            " send it and wait: 12 s to the reminder, 20 s to the deputies (Dev), 40 s to whoever is on call (Grace or"
            " Tomas), 15 min to the end. Nothing opens.",
        },
        {
            "text": "When the owner cannot answer, others are asked.", "persona": "U0DEP1", "at": "app",
            "detail": "Open Faults, set Olga asleep or deactivated, or cut Slack off, and ask again as Pavel: a sleeper is paged"
            " (see Pages), for a deactivated owner the deputies are asked at once, and what cannot be said is said when Slack is"
            " back. Or type /countersign away 2d as Olga: Dev is asked on her behalf, and away off sums up what he decided.",
        },
        {
            "text": "A changed log is found.",
            "detail": "The terminal shows every act as it happens. Type t there and press Enter: one byte in a copy of"
            " the log is changed, and log verify names the entry.",
        },
        {
            "text": "A review that nobody answers narrows the right.",
            "detail": "End this demo and type countersign demo --reviews: on its clock a day lasts 30 seconds, so that you see a review"
            " of what providers may do without asking from its first day to its end.",
        },
    ]  # fmt: skip
_REVIEW_ACTS: list[dict[str, str]] = [
        {
            "text": "The owner reviews what opens without a yes.",
            "detail": "Olga (right) has one message: what providers may do without asking first, with how often each was used. Press"
            " Review, choose Keep, Narrow or Withdraw for some of them, say why where it was never used, and send it.",
        },
        {
            "text": "A review that nobody answers narrows the right.", "persona": "U0PLEAD", "at": "app",
            "detail": "Answer nothing for two days of this clock, which is a minute. Olga, the leads and the channel are told which"
            " right narrows next; a day later it does. Then ask as Pavel: /breakglass account-unlock, which opened by itself before, now needs a yes.",
        },
        {
            "text": "Keep brings it back.",
            "detail": "As Olga press Keep what was narrowed on the closed review: account-unlock opens by itself again, and everybody"
            " concerned is told. countersign reviews prints the record; the terminal shows each entry.",
        },
    ]  # fmt: skip


def _teams(policy: Policy) -> list[dict[str, str]]:
    home = [{"id": team, "name": policy.organisation} for team in policy.workspaces]
    theirs = [{"id": team, "name": p.name} for p in policy.providers.values() for team in sorted(p.workspaces)]
    return [*home, *theirs, {"id": "T0ELSE", "name": "Somewhere else"}]


def _people(policy: Policy) -> list[dict[str, str]]:
    """Everybody whom the policy names, once, with the role as title."""
    found: dict[str, dict[str, str]] = {}

    def add(person: Person, title: str) -> None:
        name = _NAMES.get(person.user, policy.name_of(person))
        known = {"id": person.user, "name": name.split()[0].lower(), "real_name": name, "team_id": person.team}
        entry = found.setdefault(person.user, known | {"title": title})
        if title not in entry["title"]:
            entry["title"] += f" · {title}"

    for domain in policy.domains.values():
        add(domain.owner, f"owner, {domain.name.lower()}")
        for person in named_for(policy, domain):
            if person != domain.owner:
                add(person, "deputy" if person in domain.deputies else _other(person, domain.risk_owner))
    for person in policy.auditors:
        add(person, "auditor")
    for provider in policy.providers.values():
        for refs, title in ((provider.requesters, provider.name), (provider.leads, f"lead, {provider.name}")):
            for ref in refs:
                home = min(ref.teams & set(policy.workspaces), default="")
                own = min(provider.workspaces, default=home)
                add(Person(own if ref.user in _NAMES else home or own, ref.user), title)
    return list(found.values())


def _other(person: Person, risk_owner: Person | None) -> str:
    return "risk owner" if person == risk_owner else "on call"


def _channels(policy: Policy) -> list[dict[str, Any]]:
    channels: list[dict[str, Any]] = []
    for domain in policy.domains.values():
        members = [_BOT, *(p.user for p in named_for(policy, domain))]
        channels.append({"id": domain.channel, "name": f"id-{domain.id}", "members": members, "topic": domain.name})
    for provider in policy.providers.values():
        if provider.channel is not None:
            people = dict.fromkeys(ref.user for ref in (*provider.requesters, *provider.leads))
            channels.append({
                "id": provider.channel, "name": f"ext-{provider.id}", "members": [_BOT, *people],
                "shared_with": sorted(provider.workspaces), "topic": provider.name,
            })  # fmt: skip
    everyone = [p["id"] for p in _people(policy) if p["team_id"] in policy.workspaces]
    return [*channels, {"id": "C0HELP", "name": "identity-help", "members": [_BOT, *everyone], "topic": "Ask us"}]


@contextmanager
def with_pages(
    folder: Path, home: Path, policy: Policy, address: Callable[[str], str], *, reviews: bool = False
) -> Iterator[Path]:  # fmt: skip
    """A copy of the policy folder in `home` whose people have an address, and whose urgent requests wait longer; `address` makes an
    address for a user's id; `reviews`: where silence narrows."""
    copy = home / "runbooks"
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__", "py.typed"))
    named = {p.user for domain in policy.domains.values() for p in named_for(policy, domain)}
    text = (copy / MATRIX).read_text("utf-8")
    text = _PERSON.sub(lambda m: f'{m[1]}, page: "env:{_page_variable(m[2])}"}}' if m[2] in named else m[0], text)
    text = _ROTA.sub(lambda m: f'{m[0]}    page: "env:{_INCIDENTS}"\n', text)
    text = _PATIENCE.sub(rf"\g<1>{_URGENT}", text)
    (copy / MATRIX).write_text(text + (_REVIEWS if reviews else ""), "utf-8")
    ours = {_page_variable(user): address(user) for user in named} | {_INCIDENTS: "pagerduty://on-call"}
    os.environ.update(ours)
    try:
        yield copy
    finally:
        for name in ours:
            os.environ.pop(name, None)


def _page_variable(user: str) -> str:
    return f"DEMO_PAGE_{user}"
