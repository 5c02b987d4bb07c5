"""`countersign doctor`: checks the whole installation before the first request does.

It changes nothing, in Slack or here. Exit codes: 0 no errors, 1 an error, 2 the settings themselves are wrong. A failed check
does not prevent the others.
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import SecretStr

from bot.cli import doctor_anchors, doctor_calendars
from bot.cli.reconciliation import last_runs
from bot.cli.signing import doctor_page
from bot.clock import Clock, SystemClock
from bot.diagnostics import Diagnosis, Severity, error, warning
from bot.domain.errors import CountersignError, SettingsError
from bot.domain.policy.model import Policy
from bot.ports.database import may_exist
from bot.runtime.named_values import named_values
from bot.runtime.open_log import log_findings, quarantine_findings
from bot.runtime.setting_typos import strays
from bot.settings import Settings, load
from handlers.doctor import check as slack
from handlers.doctor.lookups import Lookups
from handlers.web_api.client import SlackClient
from runbooks.calendars.ical import prepared
from runbooks.calendars.on_call_coverage import coverage
from runbooks.loader import load as load_policy
from storage.opening import examine as examine_database

_ZONE = "Europe/London"
_ORDER: tuple[Severity, ...] = ("error", "warning", "info")
_TOKEN = ("xoxb-", "xoxp-", "xapp-")


@dataclass(frozen=True, slots=True)
class DoctorEnvironment:
    """What a test replaces: the environment, the clock, the pauses, and the output of progress."""

    environment: Mapping[str, str]
    clock: Clock
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    tell: Callable[[str], None] = lambda _: None
    live: str | None = None  # --live: the recipient, a label or id, or empty

    @property
    def named(self) -> Mapping[str, str]:
        """What `env:NAME` stands for: the environment first, then `.env` and the secrets directory."""
        return {**named_values(), **self.environment}


@dataclass(frozen=True, slots=True)
class DoctorReport:
    findings: tuple[Diagnosis, ...]

    @property
    def errors(self) -> tuple[Diagnosis, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "error")

    @property
    def exit_code(self) -> int:
        if any(finding.area == "settings" for finding in self.errors):
            return 2
        return 1 if self.errors else 0

    def as_json(self) -> list[dict[str, str]]:
        return [{"severity": f.severity, "area": f.area, "text": f.text} for f in self.findings]

    def lines(self) -> Iterator[str]:
        """Errors first, for a person to read."""
        yield from (str(finding) for finding in sorted(self.findings, key=lambda f: _ORDER.index(f.severity)))
        warnings = sum(finding.severity == "warning" for finding in self.findings)
        yield f"doctor: {_counted(len(self.errors), 'error')}, {_counted(warnings, 'warning')}"


async def doctor(tell: Callable[[str], None], *, live: bool = False, me: str = "") -> DoctorReport:
    """Checks this installation; `tell` is called when Slack's rate limit makes us wait. `live`: Slack validates samples."""
    try:
        settings = load()
    except SettingsError as failure:
        faults = (error("settings", line) for line in str(failure).splitlines())
        return DoctorReport((*faults, *_strays(os.environ, Path(os.environ.get("COUNTERSIGN_RUNBOOKS_DIR", "runbooks")))))
    return await examine(
        settings, DoctorEnvironment(os.environ, SystemClock(), tell=tell, live=(me or settings.me or "") if live else None)
    )


async def examine(settings: Settings, around: DoctorEnvironment) -> DoctorReport:
    """Checks what the settings refer to, external systems last."""
    found = [*_settings(settings), *_strays(around.environment, settings.runbooks_dir), *_time_zones(), *_files(settings)]
    policy, findings = _policy(settings, around)
    found += findings
    database = await _database(settings)
    found += database
    if not any(finding.severity == "error" for finding in database):
        found += await _log(settings, around.clock)
        found += await _reconciled(settings, policy)
    found += await _ahead(settings, policy, around)
    found += await doctor_page.diagnose(policy)
    if settings.slack_bot_token is not None:
        found += await _slack(settings, settings.slack_bot_token, policy, around)
    return DoctorReport(tuple(found))


def _settings(settings: Settings) -> Iterator[Diagnosis]:
    if settings.slack_bot_token is None:
        yield error(
            "settings",
            "SLACK_BOT_TOKEN is not set: copy it from OAuth & Permissions of your Slack app (xoxb-…) into .env.",
        )
    secret = settings.slack_signing_secret
    if settings.slack_app_token is None and secret is None:
        yield error(
            "settings",
            "Neither SLACK_APP_TOKEN nor SLACK_SIGNING_SECRET is set: for Socket Mode make an App-Level Token (xapp-…) with"
            " connections:write under Basic Information, for signed HTTP copy the Signing Secret from there.",
        )
    if secret is not None and secret.get_secret_value().startswith(_TOKEN):
        yield error(
            "settings",
            "SLACK_SIGNING_SECRET holds a token: copy the Signing Secret from Basic Information → App Credentials.",
        )


def _strays(environment: Mapping[str, str], runbooks: Path) -> Iterator[Diagnosis]:
    yield from (warning("settings", stray.text) for stray in strays(environment, runbooks))


def _time_zones() -> Iterator[Diagnosis]:
    try:
        ZoneInfo.no_cache(_ZONE)
    except ZoneInfoNotFoundError:
        yield error(
            "time zones",
            "There is no time zone data, so rotas and working hours cannot be read: install the Python package tzdata, or"
            " your system's.",
        )


def _files(settings: Settings) -> Iterator[Diagnosis]:
    """Checks which other users of this machine can read secrets and state."""
    folder, env = settings.state_dir, Path(".env")
    if folder.exists() and not folder.is_dir():
        yield error("state", f"COUNTERSIGN_STATE_DIR is {folder}, which is no folder: remove the file, or name a folder.")
    elif folder.is_dir() and _mode(folder) != 0o700:
        yield error("state", f"{folder} has mode {_mode(folder):04o}, and keys live there: chmod 700 {folder}.")
    elif folder.is_dir() and not os.access(folder, os.W_OK):
        yield error("state", f"{folder} cannot be written: give this account the folder, or change COUNTERSIGN_STATE_DIR.")
    if env.is_file() and _mode(env) & 0o077:
        yield warning("state", f"Others on this machine can read the tokens in {env}: chmod 600 {env}.")


def _policy(settings: Settings, around: DoctorEnvironment) -> tuple[Policy | None, list[Diagnosis]]:
    """The findings of `check`, and the rule of `run` that every `env:NAME` is set."""
    folder = settings.runbooks_dir
    if not folder.is_dir():
        text = f"COUNTERSIGN_RUNBOOKS_DIR: {folder} is not a folder; run `countersign init`, or name your policy folder."
        return None, [error("settings", text)]
    today = around.clock.now().date()
    loaded = load_policy(folder, environment=around.named, require_env=True, today=today)
    found = [Diagnosis(f.severity, "policy", f"{folder / f.file}:{f.line}: {f.text}") for f in loaded.findings]
    if loaded.policy is not None:
        return loaded.policy, found
    # Without the environment the files may still be a valid policy, whose people and channels can be looked up.
    without = load_policy(folder).policy
    return without.on(today) if without is not None else None, found


async def _ahead(settings: Settings, policy: Policy | None, around: DoctorEnvironment) -> list[Diagnosis]:
    """Checks the calendars of rotas, and when nobody is on call."""
    if policy is None:
        return []
    now = around.clock.now()
    kept = await doctor_calendars.known(settings.database, policy, around.named, now)
    found, bodies = await doctor_calendars.examine(policy, around.named, kept, now)
    ready = await asyncio.to_thread(prepared, policy, now, bodies)
    return [*found, *(Diagnosis(f.severity, "policy", f.text) for f in coverage(ready, now, bodies))]


async def _database(settings: Settings) -> list[Diagnosis]:
    try:
        return await examine_database(settings.database)
    except SettingsError as failure:  # the driver is not installed, or a pooler is in between
        return [error("settings", str(failure))]


async def _log(settings: Settings, clock: Clock) -> list[Diagnosis]:
    """Checks whether the signer would refuse the log, what waits in the emergency file, and what cannot be read."""
    try:
        if not may_exist(settings.database):
            return []
        found = [error("log", text) for text in await log_findings(settings, clock)]
        found += [warning("database", text) for text in await quarantine_findings(settings, clock)]
        return [*found, *await doctor_anchors.look(settings, clock)]
    except CountersignError as failure:
        return [error("log", str(failure))]


async def _reconciled(settings: Settings, policy: Policy | None) -> list[Diagnosis]:
    """When each domain was last compared with reality; nothing where no reconciliation was ever recorded."""
    if policy is None or not may_exist(settings.database):
        return []
    try:
        runs = await last_runs.read_runs()
    except CountersignError as failure:
        return [error("log", str(failure))]
    listed = policy.domains.values() if runs else ()
    return [Diagnosis("info", "reconciliation", f"{d.name}: {last_runs.words(runs.get(d.id))}.") for d in listed]


async def _slack(settings: Settings, token: SecretStr, policy: Policy | None, around: DoctorEnvironment) -> list[Diagnosis]:
    client = SlackClient(token.get_secret_value(), base_url=settings.slack_api_url)
    app_token = settings.slack_app_token
    live = None if around.live is None else slack.Live(around.live, around.clock.now())
    lookups = Lookups(client, sleep=around.sleep, tell=around.tell)
    return await slack.examine(lookups, app_token.get_secret_value() if app_token else None, policy, live)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
