"""The Slack checks of `countersign doctor`: tokens, scopes, people and channels against the policy.

It changes nothing in Slack, and posts only the message of `--live`. Each finding is one sentence with what to do next.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.diagnostics import Diagnosis, error, listed, warning
from bot.domain.policy.model import Policy
from handlers.doctor.channels import examine_channels
from handlers.doctor.live import examine_live
from handlers.doctor.lookups import Lookups, No, Unreachable
from handlers.doctor.people import examine_people
from handlers.web_api.errors import BY_ADMINISTRATORS
from handlers.web_api.manifest import manifest
from handlers.web_api.token_watch import advice

READS = frozenset({"users:read", "channels:read", "groups:read"})  # what doctor itself asks with
_REVOKED = frozenset({"account_inactive", "token_revoked", "token_expired"})
_SCOPES = "OAuth & Permissions → Scopes → Bot Token Scopes"


@dataclass(frozen=True, slots=True)
class Live:
    """`doctor --live`: the recipient of the one message (a label or id, or empty), and the current time."""

    me: str
    now: datetime


async def examine(
    lookups: Lookups, app_token: str | None, policy: Policy | None, live: Live | None = None
) -> list[Diagnosis]:
    """Runs all checks. `app_token` None: the bot is served over signed HTTP."""
    found: list[Diagnosis] = []
    try:
        await _examine(lookups, app_token, policy, found)
        if live is not None and policy is not None and not any(f.area == "tokens" for f in found):
            found += await examine_live(lookups, policy, live.me, live.now)
    except Unreachable as failure:
        found.append(
            error(
                "tokens",
                f"Slack cannot be reached at {lookups.address} ({failure}): check the network, the proxy and SLACK_API_URL,"
                " then run doctor again.",
            )
        )
    return found


async def _examine(lookups: Lookups, app_token: str | None, policy: Policy | None, found: list[Diagnosis]) -> None:
    identity = await lookups.identity()
    found.extend(_bot_token(identity))
    if app_token is not None:
        found.extend(_app_token(await lookups.socket(app_token)))
    if isinstance(identity, No):
        found.append(warning("people", "People and channels were not looked up: fix SLACK_BOT_TOKEN first."))
        return
    found.extend(_scopes(identity))
    if policy is None:
        found.append(warning("people", "People and channels were not looked up: fix the policy first."))
        return
    found.extend(_home(identity, policy))
    found.extend(await examine_people(lookups, policy))
    found.extend(await examine_channels(lookups, policy, bot_user=str(identity.get("user_id") or "")))


def _bot_token(identity: AsyncSlackResponse | No) -> list[Diagnosis]:
    if isinstance(identity, No):
        return [error("tokens", _bot_advice(identity.word))]
    if not identity.get("bot_id"):
        advice = "SLACK_BOT_TOKEN is no bot's token: copy the Bot User OAuth Token (xoxb-…) from OAuth & Permissions."
        return [error("tokens", advice)]
    return []


def _bot_advice(word: str) -> str:
    if word in _REVOKED:
        return (
            f"SLACK_BOT_TOKEN is no longer valid ({word}): Install App → Reinstall to Workspace, then copy the new Bot User"
            " OAuth Token (xoxb-…)."
        )
    if word in BY_ADMINISTRATORS:
        return advice("auth.test", word)
    return (
        f"Slack refuses SLACK_BOT_TOKEN ({word}): copy the Bot User OAuth Token (xoxb-…) from OAuth & Permissions of your"
        " Slack app again."
    )


def _app_token(answer: AsyncSlackResponse | No) -> list[Diagnosis]:
    if not isinstance(answer, No):
        return []
    make = "Basic Information → App-Level Tokens → Generate Token and Scopes, add connections:write, copy it (xapp-…)"
    if answer.word == "missing_scope":
        return [error("tokens", f"SLACK_APP_TOKEN lacks the scope connections:write: {make}.")]
    return [error("tokens", f"Slack refuses SLACK_APP_TOKEN ({answer.word}): {make}.")]


def _scopes(identity: AsyncSlackResponse) -> list[Diagnosis]:
    """Compares the granted scopes with the manifest's; a superfluous scope is a warning."""
    headers = {str(key).lower(): str(value) for key, value in identity.headers.items()}
    if "x-oauth-scopes" not in headers:
        advice = f"Slack did not say which scopes the app has: compare {_SCOPES} with `countersign manifest` by hand."
        return [warning("scopes", advice)]
    granted = {scope.strip() for scope in headers["x-oauth-scopes"].split(",")} - {""}
    wanted = set(manifest(prefix="", url=None)["oauth_config"]["scopes"]["bot"]) | READS
    found: list[Diagnosis] = []
    if missing := sorted(wanted - granted):
        advice = f"The app lacks {_count(missing)}: {_SCOPES} → add {', '.join(missing)} → Reinstall to Workspace."
        found.append(error("scopes", advice))
    if spare := sorted(granted - wanted):
        advice = f"The app holds {_count(spare)} it never uses: {_SCOPES} → remove {', '.join(spare)} → Reinstall."
        found.append(warning("scopes", advice))
    return found


def _count(scopes: list[str]) -> str:
    return "a scope" if len(scopes) == 1 else f"{len(scopes)} scopes"


def _home(identity: AsyncSlackResponse, policy: Policy) -> list[Diagnosis]:
    team, name = str(identity.get("team_id") or ""), str(identity.get("team") or "")
    if {team, str(identity.get("enterprise_id") or "")} & set(policy.workspaces):
        return []
    homes = listed(policy.workspaces)
    advice = (
        f"The app is installed in {name} ({team}), the policy's home is {homes}: write `workspaces: [{team}]` into"
        " responsibility.yaml, or install the app in the home workspace."
    )
    return [error("tokens", advice)]
