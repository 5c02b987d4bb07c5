"""A bot under attack: payloads made by hand, what came of each, and what must hold afterwards."""

import asyncio
import itertools
import json
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from sandbox.delivery import Outcome
from storage.log.check import check_database
from tests.database import opened

HOME = "T0HOME"
MATTERS = ("right.begun", "authority.suspended")
OUTCOMES = ("request.refused", "request.denied", "request.withdrawn", "request.expired", "grant.opened")
TROUBLE = ("Traceback", "act.failed", "sweep.case_failed", "sweep.failed", "outbox.not_leased", "gate.failed", "gate.late",
           "Failed to run", "never retrieved", "not_put_off")  # fmt: skip
FORMS = {
    "ask": "ask", "deny": "deny_reason", "less": "less", "question": "question_text", "answer": "answer_text",
    "push": "push_text",
}  # fmt: skip
TICKET = {"field.text.ticket": "INC1001"}
BEGIN = {True: "BEGIN", False: "BEGIN ISOLATION LEVEL REPEATABLE READ"}  # by whether it is a SQLite file
_NUMBERS = itertools.count(1)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Ground:
    """`bot` is a Bot of conftest; every gesture here is a payload that nobody but Slack could sign."""

    def __init__(self, bot: Any) -> None:
        self.bot, self.sandbox = bot, bot.sandbox
        self.filed_here: list[tuple[str, str]] = []
        self._read = 0

    # Payloads.

    def trigger(self, user: str) -> str:
        return str(self.sandbox.world.new_trigger(user))

    def click_payload(self, by: str, action: str, value: Any, *, team: str = HOME, **changed: Any) -> dict[str, Any]:
        world = self.sandbox.world
        channel = world.im(by).id
        return {
            "type": "block_actions", "user": {"id": by, "username": by.lower(), "team_id": team}, "team": {"id": HOME},
            "api_app_id": world.workspace.app.id, "token": "x", "trigger_id": self.trigger(by),
            "container": {"type": "message", "message_ts": "1700000000.000100", "channel_id": channel, "is_ephemeral": False},
            "channel": {"id": channel, "name": "directmessage"}, "response_url": world.new_response_url(by, channel),
            "actions": [{"action_id": action, "block_id": "decide", "type": "button", "value": value, "action_ts": "1.1"}],
            **changed,
        }  # fmt: skip

    def form_payload(
        self, user: str, form: str, entered: dict[str, Any], *, metadata: str = "", team: str = HOME, **changed: Any
    ) -> dict[str, Any]:
        blocks = [{"type": "input", "block_id": f"b.{a}", "label": {"type": "plain_text", "text": a},
                   "element": {"type": "plain_text_input", "action_id": a}} for a in entered]  # fmt: skip
        values = {f"b.{a}": {a: v if isinstance(v, dict) else {"type": "plain_text_input", "value": v}}
                  for a, v in entered.items()}  # fmt: skip
        return {
            "type": "view_submission", "user": {"id": user, "username": user.lower(), "team_id": team}, "team": {"id": HOME},
            "api_app_id": self.sandbox.world.workspace.app.id, "token": "x", "trigger_id": self.trigger(user),
            "response_urls": [],
            "view": {"id": f"V0HANDMADE{next(_NUMBERS)}", "type": "modal", "hash": "1.1", "callback_id": form, "private_metadata": metadata,
                     "team_id": HOME, "blocks": blocks, "state": {"values": values}},
            **changed,
        }  # fmt: skip

    def command_payload(self, user: str, command: str, text: str, *, team: str = HOME) -> dict[str, Any]:
        world = self.sandbox.world
        channel = world.im(user).id
        return {
            "token": "x", "team_id": team, "team_domain": "x", "channel_id": channel, "channel_name": "directmessage",
            "user_id": user, "user_name": user.lower(), "command": command, "text": text,
            "api_app_id": world.workspace.app.id, "is_enterprise_install": "false",
            "response_url": world.new_response_url(user, channel), "trigger_id": self.trigger(user),
        }  # fmt: skip

    @staticmethod
    def about(case: str, version: int = 1, channel: str = "") -> str:
        """The metadata of a form about a question."""
        return json.dumps({"question": f"{case}:{version}", "channel": channel})

    # Gestures.

    async def click(self, by: str, action: str, value: Any, **changed: Any) -> Outcome:
        return await self.sandbox.deliver("interactive", self.click_payload(by, action, value, **changed))

    async def form(self, user: str, form: str, entered: dict[str, Any], **changed: Any) -> Outcome:
        return await self.sandbox.deliver("interactive", self.form_payload(user, FORMS[form], entered, **changed))

    async def command(self, user: str, command: str, text: str = "", team: str = HOME) -> Outcome:
        return await self.sandbox.deliver("slash_commands", self.command_payload(user, command, text, team=team))

    async def filed(
        self, who: str = "U0PE1", runbook: str = "directory-admin-emergency", target: str = "", **entered: Any
    ) -> str:
        """A request, as the log's id."""
        target = target or f"dc-{next(_NUMBERS)}"
        outcome = await self.form(
            who, "ask", {"runbook": runbook, "target_text": target, "reason": "Sync stopped", **(entered or TICKET)}
        )
        assert outcome.ok, (outcome.error, outcome.response)
        case = str(outcome.response["view"]["blocks"][0]["text"]["text"]).strip("*")[:10]
        await self.until(lambda: self.entries(case))
        assert self.kinds(case)[0] == "request.filed", self.entries(case)
        self.filed_here.append((case, who))
        return case

    async def tidy(self) -> None:
        """Takes back what is still pending, so that no brake of one test falls on the next."""
        for case, who in self.filed_here:
            if self.state(case) == "pending":
                await self.click(who, "withdraw", f"{case}:1")
        await self.until(lambda: all(self.state(case) != "pending" for case, _ in self.filed_here))
        self.filed_here.clear()

    async def until(self, found: Callable[[], Any], timeout: float = 5.0) -> Any:
        """What `found` gives once it is true; looked at often, for the database changes without the sandbox's knowing."""
        end = time.monotonic() + timeout
        while not (result := found()):
            assert time.monotonic() < end, f"nothing came within {timeout} s\n{self.bot.log()[-1500:]}"
            await asyncio.sleep(0.01)
        return result

    async def worked(self) -> None:
        """Everything that was taken in is carried out."""
        await self.until(lambda: not self.bot.rows("SELECT 1 FROM inbox WHERE done_ms IS NULL"))

    # What came of it.

    def answers(self, outcome: Outcome) -> int:
        """How often the clicker was answered at the address that came with the click."""
        token = str(outcome.payload["response_url"]).rsplit("/", 1)[1]
        return 5 - int(self.sandbox.world.response_urls[token].left)

    def entries(self, case: str | None = None) -> list[dict[str, Any]]:
        where, values = ("WHERE case_id = ?", (case,)) if case else ("", ())
        rows = self.bot.rows(f"SELECT data FROM log_entry {where} ORDER BY idx", *values)
        return [json.loads(row[0]) for row in rows]

    def kinds(self, case: str | None = None) -> list[str]:
        return [e["type"] for e in self.entries(case) if not e["type"].startswith("delivery.")]

    def refusals(self, case: str | None = None) -> list[dict[str, Any]]:
        return [e for e in self.entries(case) if e["type"] == "decision.refused"]

    def state(self, case: str) -> str:
        return str(self.bot.rows("SELECT state FROM request WHERE id = ?", case)[0][0])

    def account(self, ref: str) -> str:
        """The user behind a pseudonym of the log."""
        return str(self.bot.rows("SELECT user_id FROM person WHERE ref = ?", ref)[0][0])

    def requests(self) -> int:
        return int(self.bot.rows("SELECT count(*) FROM request WHERE provider <> ''")[0][0])

    # What must hold, whatever was done.

    def holds(self, rightful: Iterable[str] = ()) -> None:
        """`log verify` is clean, the log folds to the tables, nothing crashed, and `rightful` are the only deciders."""
        checked = check_database(self.bot.place)
        assert checked.findings == (), checked.findings[:5]
        fresh, self._read = self.whole_log()[self._read :], len(self.whole_log())
        trouble = [line for line in fresh.splitlines() if any(word in line for word in TROUBLE)]
        assert not trouble, "\n".join(trouble[:10])
        self.folds()
        allowed = set(rightful)
        deciders = {self.account(e["actor"]["ref"]) for e in self.entries() if e["type"] == "request.approved"}
        assert not allowed or deciders <= allowed, deciders - allowed

    def forgive(self, word: str) -> None:
        """What a library wrote about the payloads of this test; a stack is not forgiven."""
        fresh = [line for line in self.whole_log()[self._read :].splitlines() if word not in line]
        self._read = len(self.whole_log())
        assert not [line for line in fresh if any(w in line for w in TROUBLE)], fresh

    def whole_log(self) -> str:
        return str((self.bot.home / "bot.log").read_text(errors="replace"))

    def folds(self) -> None:
        """State and grant of every case as the log alone gives them; one outcome at most; no step twice."""
        told: dict[str, tuple[str, str]] = {}
        outcomes: Counter[str] = Counter()
        approved: set[str] = set()
        steps: Counter[tuple[str, str, int]] = Counter()
        log, rows = self._at_one_moment(
            "SELECT data FROM log_entry ORDER BY idx",
            "SELECT r.id, r.state, coalesce(g.state, '') FROM request r LEFT JOIN access_grant g ON g.case_id = r.id"
            " WHERE r.matter = ''",
        )
        matters = {entry["case"] for entry in map(json.loads, (row[0] for row in log)) if entry["type"] in MATTERS}
        for entry in (json.loads(row[0]) for row in log):
            case, kind, data = entry.get("case"), entry["type"], entry.get("data", {})
            if case is None or case in matters:  # what nobody filed asks, and gives nothing
                continue
            request, grant = told.get(case, ("pending", ""))
            outcomes[case] += kind in OUTCOMES
            again = data.get("ask") in ("restore", "right")  # what must be answered is asked anew
            if kind in ("step.fired", "step.skipped") and data["action"] not in ("stand_in", "handover") and not again:
                steps[case, data.get("ask", "approval"), data["step"]] += 1
            if kind == "breakglass.opened":
                request = "opened"
            elif kind == "grant.opened":
                request, grant = "approved" if case in approved else "opened", "open"
            elif kind in ("request.denied", "request.withdrawn", "request.expired"):
                request = kind.split(".")[1]
            elif kind == "exception.ended":
                grant = data["how"]
            elif kind == "request.approved":
                approved.add(case)
            elif kind in ("sealed_use.recorded", "authority.suspended", "right.begun"):
                request = "opened"
            elif kind == "drill.ended":
                request = "expired"
            elif kind.startswith("grant.") and kind != "grant.extended":
                grant = kind.split(".")[1]
            elif kind == "request.refused":
                continue
            told[case] = (request, grant)
        assert [c for c, n in outcomes.items() if n > 1] == []
        assert [s for s, n in steps.items() if n > 1] == []
        assert {row[0]: (row[1], row[2]) for row in rows} == told

    def _at_one_moment(self, *statements: str) -> list[list[tuple[Any, ...]]]:
        """Several looks at the database as it was at one instant, while the bot goes on."""
        with closing(opened(self.bot.place)) as connection:
            connection.execute(BEGIN[isinstance(self.bot.place, Path)])
            return [connection.execute(statement).fetchall() for statement in statements]
