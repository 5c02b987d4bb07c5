"""The demo: sandbox and bot in one process, with the example organisation and accelerated time.

Nothing leaves this machine. Each run has a new database in a temporary folder; the last act tampers with a copy of it and
shows what `log verify` reports.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import sqlite3
import sys
import tempfile
import textwrap
import webbrowser
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, closing, suppress
from pathlib import Path
from urllib.parse import urlencode

import runbooks
from bot.app import serve
from bot.background.loop import pause, until
from bot.demo.signing import RUNBOOK, SigningAct, demand_signature
from bot.demo.workspace import APPROVER, ASKER, REVIEW_SCALE, START, script, with_pages, workspace
from bot.domain.errors import SettingsError
from bot.domain.policy.model import Policy
from bot.settings import Settings
from bot.terminal import say
from runbooks.loader import load
from sandbox.driver import Sandbox
from storage.log.check import check_database

SCALE = 15
_MAIN = "directory-admin-emergency"
_WAIT = 20.0
_TOLD = 3  # findings shown: the tampered entry is the first, and must not scroll away
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z")


async def play(port: int, *, browser: bool, reviews: bool = False) -> None:
    """Runs until Ctrl-C; `reviews`: on the clock that shows a review to its end. Raises SettingsError where the port is taken or the example does not load."""
    folder = Path(runbooks.__file__).parent
    policy = load(folder).policy
    if policy is None:
        raise SettingsError("The example organisation does not load; run `countersign check runbooks` to see why.")
    os.umask(0o077)  # keys, log and copies of the demo are its owner's, as those of a real bot
    home = Path(tempfile.mkdtemp(prefix="countersign-demo-"))
    stop, scale = asyncio.Event(), REVIEW_SCALE if reviews else SCALE
    try:
        async with AsyncExitStack() as stack:
            act = None if reviews else await stack.enter_async_context(SigningAct(home / "state"))
            sandbox = await _opened(stack, policy, port, scale, act)
            played = stack.enter_context(with_pages(folder, home, policy, sandbox.pager, reviews=reviews))
            settings = _settings(sandbox, played, home, scale, "" if act is None else act.listen)
            await _both(sandbox, settings, policy, act, stop, browser=browser)
    finally:
        shutil.rmtree(home, ignore_errors=True)


async def _opened(stack: AsyncExitStack, policy: Policy, port: int, scale: int, act: SigningAct | None) -> Sandbox:
    try:
        return await stack.enter_async_context(Sandbox(workspace(policy, scale, _acts(act)), port))
    except (OSError, OverflowError):
        again = 'make demo DEMO="--port 0"' if os.environ.get("MAKELEVEL") else "countersign demo --port 0"
        raise SettingsError(f"Port {port} is in use, or not allowed here. Try: {again}") from None


async def _both(
    sandbox: Sandbox, settings: Settings, policy: Policy, act: SigningAct | None, stop: asyncio.Event, *, browser: bool
) -> None:
    ready = asyncio.Event()
    bot = asyncio.ensure_future(serve(settings, stop=stop, ready=ready.set))
    waiting = asyncio.ensure_future(ready.wait())
    await asyncio.wait([bot, waiting], timeout=_WAIT, return_when=asyncio.FIRST_COMPLETED)
    if bot.done() or not ready.is_set():
        waiting.cancel()
        ended = stop.is_set()  # Ctrl-C while it starts
        stop.set()
        await bot
        if ended:
            return
        raise SettingsError("The bot did not reach the sandbox in time; try again.")
    await until(stop, _first_review(sandbox) if act is None else _first_request(sandbox))
    if stop.is_set():  # Ctrl-C meanwhile
        await bot
        return
    home = settings.state_dir.parent
    _welcome(sandbox, policy, home / "demo.db", settings.time_scale, _acts(act))
    if browser:
        await asyncio.to_thread(webbrowser.open, _page(sandbox))
    companions = [_follow(home / "demo.db", stop), _keys(home, stop)]
    companions += [] if act is None else [_greet(sandbox, stop), _signed(sandbox, act, settings.runbooks_dir, stop)]
    running = asyncio.gather(*companions)
    running.add_done_callback(lambda _: stop.set())  # also when our output is closed
    await bot
    await running
    say("\nThe demo has ended; nothing is left running.")


def _acts(act: SigningAct | None) -> list[dict[str, str]]:
    return [] if act is None else [act.step]


def _settings(sandbox: Sandbox, folder: Path, home: Path, scale: int, sign_listen: str) -> Settings:
    return Settings(
        _env_file=None,
        slack_bot_token=sandbox.bot_token,
        slack_app_token=sandbox.app_token,
        slack_signing_secret=sandbox.signing_secret,
        slack_api_url=sandbox.api_url,
        database_url=f"sqlite:///{home / 'demo.db'}",
        runbooks_dir=folder,
        state_dir=home / "state",
        time_scale=scale,
        command_prefix="",
        log_origin=None,
        log_format="console",
        ops_listen="127.0.0.1:0",
        sign_listen=sign_listen or "127.0.0.1:0",
        pagerduty_url=sandbox.pagerduty_url,
    )


async def _first_request(sandbox: Sandbox) -> None:
    """Files a request before the page opens, so that the first approval is one click away."""
    filled = {"Target": "dc-core-01", "Incident ticket": "INC20417"}
    await _ask(sandbox, f"{_MAIN} Sync stopped at 02:40, nobody can sign in", filled)
    await sandbox.wait_for(lambda: sandbox.find(APPROVER, "Approve"), _WAIT)
    with suppress(TimeoutError):  # the form's last page is updated when the worker has committed
        await sandbox.wait_for(lambda: APPROVER in _last_page(sandbox), 5)
    await sandbox.close(ASKER, everything=True)


async def _ask(sandbox: Sandbox, words: str, filled: dict[str, str]) -> None:
    """Pavel sends the form."""
    await sandbox.command(ASKER, "/breakglass", words)
    await sandbox.wait_for(lambda: sandbox.modal(ASKER), _WAIT)
    await sandbox.submit(ASKER, filled)


async def _signed(sandbox: Sandbox, act: SigningAct, folder: Path, stop: asyncio.Event) -> None:
    """Once Olga's passkey is made, the policy demands it for one runbook, and Pavel asks for that."""
    line = await act.passkey(stop)
    if line is None:
        return
    demand_signature(folder, line, act.origin)
    await act.served(stop)
    with suppress(TimeoutError):
        filled = {"Target": "k.mensah", "Link to the alert": "https://alerts.example/4711", "How sure are you": "Likely"}
        await until(stop, _ask(sandbox, f"{RUNBOOK} Signs in from two countries at once", filled))
        await sandbox.close(ASKER, everything=True)


async def _first_review(sandbox: Sandbox) -> None:
    """Waits for the review that is due at the first load."""
    await sandbox.wait_for(lambda: sandbox.find(APPROVER, "to answer"), _WAIT)


def _last_page(sandbox: Sandbox) -> str:
    form = sandbox.modal(ASKER)
    return form.shown if form else ""


async def _greet(sandbox: Sandbox, stop: asyncio.Event) -> None:
    """Files again if the first request has expired before the page opens."""
    while not sandbox.pages:
        if stop.is_set():
            return
        await pause(0.3, stop)
    if sandbox.find(APPROVER, "Approve") is None:
        with suppress(TimeoutError):
            await _first_request(sandbox)


def _page(sandbox: Sandbox) -> str:
    return f"{sandbox.page_url}?{urlencode(START)}"


def _welcome(sandbox: Sandbox, policy: Policy, database: Path, scale: float, acts: Sequence[Mapping[str, str]]) -> None:
    say(f"\nCountersign demo · {policy.organisation} · demo clock {scale:g}×\n\n  {_page(sandbox)}\n")
    for number, step in enumerate(script(acts, reviews=scale == REVIEW_SCALE), 1):
        say(f"  {number}. {step['text']}")
        say(textwrap.fill(step["detail"], 100, initial_indent="     ", subsequent_indent="     "))
        if "link" in step:
            say(f"     {step['link']}")
    say(f"\nThe database, until the demo ends: {database}")
    say(
        f"\nThe decision log, as it happens (UTC, demo clock {scale:g}×, people as pseudonyms). Ctrl-C ends the demo.",
        flush=True,
    )


async def _follow(database: Path, stop: asyncio.Event) -> None:
    """Prints each log entry once it is committed."""
    seen = 0
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as reader:
        while not stop.is_set():
            for (data,) in reader.execute("SELECT data FROM log_entry WHERE idx >= ? ORDER BY idx", (seen,)).fetchall():
                say(_line(json.loads(data)), flush=True)
                seen += 1
            await pause(0.3, stop)


def _line(entry: dict[str, object]) -> str:
    actor, data = entry["actor"], entry.get("data", {})
    assert isinstance(actor, dict)
    assert isinstance(data, dict)
    who = f"{_short(actor['ref'])} ({actor['party']})" if "ref" in actor else actor["kind"]
    shown = {k: v for k, v in data.items() if not isinstance(v, list | dict)}
    said = " ".join(f"{k}={_short(v)}" for k, v in shown.items())
    return f"  {entry['i']:>4}  {str(entry['ts'])[11:23]}  {entry['type']:<18} {entry.get('case', ''):<11} {who}  {said}"


def _short(value: object) -> str:
    """Shortens pseudonyms to their beginning, times to the second."""
    text = str(value)
    if text.startswith("sub_"):
        return f"{text[:12]}…"
    return f"{text[11:19]}" if isinstance(value, str) and _MOMENT.fullmatch(text) else text


async def _keys(home: Path, stop: asyncio.Event) -> None:
    """The fourth act: `t` and Enter change one byte of a copy of the log and verify it."""
    if not sys.stdin.isatty() and os.environ.get("COUNTERSIGN_DEMO_KEYS") != "1":
        return
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str] = asyncio.Queue()

    def read() -> None:
        line = sys.stdin.readline()
        if not line:  # end of input
            loop.remove_reader(sys.stdin)
        lines.put_nowait(line.strip().lower())

    loop.add_reader(sys.stdin, read)
    try:
        while not stop.is_set():
            try:
                line = await asyncio.wait_for(lines.get(), 0.3)
            except TimeoutError:
                continue
            if line == "t":
                say(await asyncio.to_thread(tampered, home), flush=True)
    finally:
        loop.remove_reader(sys.stdin)


def tampered(home: Path) -> str:
    """Copies the database, changes one byte of one entry as anybody with the file could, and verifies both."""
    copy = home / "tampered.db"
    copy.unlink(missing_ok=True)
    with closing(sqlite3.connect(home / "demo.db")) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    honest = check_database(copy)
    with closing(sqlite3.connect(copy)) as target, target:
        for (name,) in target.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            target.execute(f'DROP TRIGGER "{name}"')
        idx, data = target.execute(
            "SELECT idx, data FROM log_entry WHERE type = 'request.filed' ORDER BY idx LIMIT 1"
        ).fetchone()
        spoiled = data.replace(b'"seconds":3600', b'"seconds":9600')
        target.execute("UPDATE log_entry SET data = ? WHERE idx = ?", (spoiled, idx))
    found = check_database(copy)
    verdict = "verified, no problems found" if not honest.findings else f"checked, {len(honest.findings)} problems found"
    lines = [f"\n  before: {honest.size} entries {verdict}"]
    lines.append(f"  edited one byte of entry {idx} in a copy ({copy.name}): 3600 seconds became 9600")
    lines += [f"  log verify: {finding}" for finding in found.findings[:_TOLD]]
    if len(found.findings) > _TOLD:
        lines.append(f"  log verify: … and {len(found.findings) - _TOLD} more that follow from it")
    return "\n".join([*lines, ""])
