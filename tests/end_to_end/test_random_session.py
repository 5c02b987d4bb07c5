"""A long day at random: many people, a bad network, clocks that run, and a bot that is killed twice; once a transport.

Slack brings some things twice, some again much later, and some in another order than they were done. The seed is printed; SESSION_SEED repeats a session, SESSION_ACTS makes it longer.
"""

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.delivery import Outcome
from sandbox.errors import GestureError
from tests.end_to_end.ground import Ground
from tests.end_to_end.screen_oracle import screen_is_true

ACTS = int(os.environ.get("SESSION_ACTS", "160"))
SEED = int(
    os.environ.get("SESSION_SEED", "1107")
)  # a fixed one, so that a red run can be repeated; make it another to look further
SCALE = 300  # 45 minutes of an urgent ladder are 9 seconds
ASKERS, LEADS = ("U0PE1", "U0PE2", "U0SOC1", "U0SOC2"), ("U0PLEAD", "U0SOCLEAD")
NAMED = ("U0OWNER", "U0DEP1", "U0DEP2", "U0ONC1", "U0ONC2", "U0RISK")
STRANGERS = ("U0GUEST", "U0GONE", "U0OUTSIDE", "U0ADMIN", "U0CLIN", "U0AUDIT")
EVERYBODY = (*ASKERS, *LEADS, *NAMED, *STRANGERS)
CHANNELS = ("C0DIRECTORY",)
DECIDERS = ("U0OWNER", "U0DEP1", "U0DEP2", "U0ONC1", "U0ONC2", "U0RISK")
CONTAIN = {"field.url.alert": "https://siem.example/1", "field.select.confidence": "Likely", "field.boolean.on_duty": "no"}
SECRET = {"northgate": "nginx-north-secret", "watchfield": "wolf-watch-secret"}  # is in every target and reason


class Session:
    """Does one random thing after another and remembers every gesture."""

    def __init__(self, bot: Any, seed: int) -> None:
        self.ground, self.bot, self.sandbox = Ground(bot), bot, bot.sandbox
        self.random = random.Random(seed)
        self.outcomes: list[Outcome] = []
        self.clicks: list[Outcome] = []
        self.due: Counter[str] = Counter()  # refusals that are due for sure, by person
        self.down = False
        self.lossy: list[tuple[float, float]] = []  # when a message could be posted without the bot's learning where
        self.choices: list[tuple[Callable[[], Any], int]] = [
            (self.file, 14), (self.decide, 26), (self.beside, 16), (self.by_form, 16), (self.by_requester, 12),
            (self.advise, 6), (self.stranger, 12), (self.command, 10), (self.write, 3), (self.away, 4), (self.real_card, 10),
            (self.again, 8), (self.reordered, 6), (self.at_home, 10),
        ]  # fmt: skip

    def case(self) -> str | None:
        """Mostly a young one; sometimes any, long decided."""
        rows = [row[0] for row in self.bot.rows("SELECT id FROM request ORDER BY filed_ms DESC LIMIT 40")]
        if not rows:
            return None
        return str(self.random.choice(rows[:5] if self.random.random() < 0.8 else rows))

    def version(self) -> int:
        return 1 if self.random.random() < 0.95 else self.random.choice((0, 2, 77))

    async def one(self) -> None:
        deeds, weights = zip(*self.choices, strict=True)
        await self.random.choices(deeds, weights)[0]()

    def remember(self, outcome: Outcome, *, click: bool = False) -> None:
        self.outcomes.append(outcome)
        if click:
            self.clicks.append(outcome)
        if not self.down:
            assert outcome.error != "operation_timeout", (outcome.payload, self.bot.log()[-2000:])
            assert outcome.seconds < 3

    async def click(self, who: str, action: str) -> None:
        case = self.case()
        if case is not None:
            team = self.sandbox.person(who).team_id
            value = f"{case}:{self.version()}"
            self.remember(await self.ground.click(who, action, value, team=team), click=True)

    async def form(self, who: str, form: str, entered: dict[str, Any]) -> None:
        case = self.case()
        if case is not None:
            metadata = self.ground.about(case, self.version())
            self.remember(await self.ground.form(who, form, entered, metadata=metadata))

    async def file(self) -> None:
        who = self.random.choice(ASKERS)
        north = who.startswith("U0PE")
        mark = SECRET["northgate" if north else "watchfield"]
        contain = not north or self.random.random() < 0.4
        entered = {
            "runbook": "identity-containment" if contain else "directory-admin-emergency",
            "target_text": f"{mark} {self.random.randrange(60)}", "reason": f"{mark} is down",
            **(CONTAIN if contain else {"field.text.ticket": "INC7"}),
        }  # fmt: skip
        outcome = await self.ground.form(who, "ask", entered)
        assert outcome.error or outcome.response["response_action"] == "update", outcome.response
        self.remember(outcome)

    async def decide(self) -> None:
        await self.click(self.random.choice(NAMED), "approve")

    async def beside(self) -> None:
        await self.click(
            self.random.choice(NAMED), self.random.choice(("on_it", "pass", "deny", "question", "approve_less"))
        )

    async def by_form(self) -> None:
        form, entered = self.random.choice((
            ("deny", {"reason": "Use the other account"}), ("less", {"duration": "900"}), ("question", {"reason": "Which site?"}),
        ))  # fmt: skip
        await self.form(self.random.choice(NAMED), form, entered)

    async def by_requester(self) -> None:
        who, what = self.random.choice(ASKERS), self.random.choice(("withdraw", "answer", "push", "again", "escalate_now"))
        if what in ("answer", "push"):
            await self.form(who, what, {"reason": "The main one"})
        else:
            await self.click(who, "ask_again" if what == "again" else what)

    async def advise(self) -> None:
        await self.click(self.random.choice(LEADS), self.random.choice(("recommend", "advise_against", "withdraw")))

    async def stranger(self) -> None:
        who = self.random.choice(STRANGERS)
        if self.random.random() < 0.3:
            await self.form(who, "deny", {"reason": "No"})
        else:
            await self.click(
                who, self.random.choice(("approve", "deny", "withdraw", "on_it", "pass", "recommend", "ask_again"))
            )

    async def command(self) -> None:
        who = self.random.choice(EVERYBODY)
        case = self.case() or "R-00000000"
        text = self.random.choice(("", "help", "queue", "mine", f"show {case}", f"log {case}", "matrix", "whoami", "ask"))
        team = self.sandbox.person(who).team_id
        self.remember(await self.ground.command(who, "/countersign", text, team=team), click=text != "ask")

    async def write(self) -> None:
        self.remember(await self.sandbox.message_bot(self.random.choice(NAMED + ASKERS), "approve it all"))

    async def away(self) -> None:
        text = self.random.choice(("away 1h", "away 10m", "away off", "away off", "away yesterday"))
        who = self.random.choice(("U0OWNER", "U0DEP1"))
        self.remember(await self.ground.command(who, "/countersign", text), click=True)

    async def real_card(self) -> None:
        """A button that really is on somebody's screen, perhaps of a card that is long decided."""
        who = self.random.choice(NAMED + ASKERS + LEADS)
        cards = [m for m in self.sandbox.messages(who)[-12:] if m.buttons]
        if cards:
            card = self.random.choice(cards)
            try:
                outcome = await self.sandbox.press(who, self.random.choice(card.buttons), message=card)
            except GestureError:
                return
            self.remember(outcome, click=True)

    async def at_home(self) -> None:
        """Somebody opens their App Home, or presses something in it, however old it is by now."""
        who = self.random.choice(NAMED + ASKERS + LEADS)
        home = self.sandbox.home(who)
        if home is None or not home.buttons or self.random.random() < 0.5:
            self.remember(await self.sandbox.open_home(who))
            return
        try:
            self.remember(await self.sandbox.press(who, self.random.choice(home.buttons), where="home"))
        except GestureError:
            return

    async def again(self) -> None:
        """Slack brings once more what was acknowledged long ago: the same answer, and nothing happens."""
        old = [o for o in self.outcomes[-40:] if o.acked and "trigger_id" in o.payload]
        if old and not self.down:
            first = self.random.choice(old)
            repeat = await self.sandbox.redeliver(first)
            assert repeat.seconds < 3
            assert not repeat.acked or repeat.response == first.response, (first, repeat)

    async def reordered(self) -> None:
        """Two clicks of one person on one case arrive in the other order, together."""
        case = self.case()
        if case is not None:
            who, value = self.random.choice(NAMED), f"{case}:1"
            first, second = (
                self.ground.click_payload(who, a, value) for a in self.random.sample(("approve", "on_it", "pass"), 2)
            )
            for outcome in await asyncio.gather(*(self.sandbox.deliver("interactive", p) for p in (second, first))):
                self.remember(outcome, click=True)

    def calm(self) -> None:
        """No fault any more: from now on every message's place is learned."""
        now = time.time() + 1
        self.lossy = [(begun, min(over, now)) for begun, over in self.lossy]
        self.sandbox.faults.clear()

    def trouble(self) -> None:
        """Another fault of the network, or none."""
        faults = self.sandbox.faults
        self.calm()
        faults.double_deliveries = self.random.random() < 0.4
        method = self.random.choice(("*", "chat.postMessage", "chat.update", "users.info", "views.update", "views.open"))
        match self.random.randrange(16):
            case 0:
                faults.slow[method] = self.random.uniform(0.05, 0.6)
            case 1:
                faults.rate_limit(method, self.random.randint(1, 3), retry_after=1)
            case 2:
                faults.fail(method, self.random.randint(1, 6), status=self.random.choice((500, 502, 503)))
            case 3:
                self.lossy.append((time.time() - 1, float("inf")))
                faults.lose_answer(
                    self.random.choice(("chat.postMessage", "chat.update", "users.info")), self.random.randint(1, 3)
                )
            case 4:
                faults.refuse(method if method != "*" else "chat.update", "internal_error", 2)
            case 5:
                self.sandbox.cut_sockets()

    async def connected(self) -> None:
        if not self.sandbox.world.workspace.app.request_url:
            await self.ground.until(lambda: self.sandbox.sockets > 0, 20)

    async def killed(self) -> None:
        """kill -9 while people go on; then the bot comes back."""
        self.down = True
        self.lossy.append((time.time() - 1, time.time() + 1))
        gestures = [asyncio.ensure_future(self.one()) for _ in range(6)]
        await self.bot.kill()
        await asyncio.gather(*gestures)
        self.calm()
        await self.bot.start()
        self.down = False


@pytest.mark.timeout(180 + 2 * ACTS)
@pytest.mark.parametrize("transport", ["socket", "http"])
async def test_a_long_random_day_breaks_no_rule(start: Callable[..., Any], transport: str) -> None:
    print(f"SESSION_SEED={SEED} SESSION_ACTS={ACTS}")
    began = time.monotonic()
    bot = await start(SCALE, transport)
    day = Session(bot, SEED)
    kills = [ACTS // 3, 2 * ACTS // 3]
    done = 0
    while done < ACTS:
        if kills and done >= kills[0]:
            kills.pop(0)
            await day.killed()
        day.trouble()
        await day.connected()
        together = day.random.randint(2, 6)
        await asyncio.gather(*(day.one() for _ in range(together)))
        done += together
        await screen_is_true(bot, EVERYBODY, CHANNELS, day.lossy)
        if done % 20 < together:
            holds_now(day)
    day.calm()
    acted = time.monotonic()
    await everything_ended(day)
    holds_now(day)
    await screen_is_true(bot, EVERYBODY, CHANNELS, day.lossy)
    every_click_was_answered(day)
    every_refusal_is_of_a_gesture(day)
    nothing_leaked(day)
    assert {o.via for o in day.outcomes if o.acked} == {transport}
    kinds = Counter(day.ground.kinds())
    print(f"acts {acted - began:.0f} s, the rest {time.monotonic() - acted:.0f} s; {dict(kinds)}")
    assert {"request.filed", "request.approved", "decision.refused", "request.expired"} <= set(kinds), kinds


def holds_now(day: Session) -> None:
    day.ground.holds(DECIDERS)


async def everything_ended(day: Session) -> None:
    """Nothing is left to do: inbox carried out, asks closed by decision or clock, grants lapsed, outbox drained."""
    ground, rows = day.ground, day.bot.rows
    await ground.until(lambda: not rows("SELECT 1 FROM inbox WHERE done_ms IS NULL"), 60)
    await ground.until(lambda: not rows("SELECT 1 FROM request WHERE state = 'pending'"), 60)
    await ground.until(lambda: not rows("SELECT 1 FROM outbox WHERE done_ms IS NULL AND purpose <> 'digest'"), 120 + ACTS)


OPENS_A_FORM = frozenset(
    [
        "deny",
        "approve_less",
        "question",
        "answer",
        "escalate_now",
        "ask_again",
        "ask_here",
        "extend",
        "add_evidence",
        "flag",
        "reject",
        "permit",
    ]
)
ENTERED = {
    "approve": "request.approved", "withdraw": "request.withdrawn", "on_it": "request.held", "pass": "request.passed",
    "recommend": "request.recommended", "advise_against": "request.recommended", "finished": "grant.finished",
    "not_used": "grant.unused", "revoke": "grant.revoked", "accept": "review.passed", "ratify": "breakglass.ratified",
    "attest": "rotation.attested",
}  # fmt: skip


def every_click_was_answered(day: Session) -> None:
    """A click that Slack saw acknowledged is answered at its address, or it changed the case or opened a form."""
    silent = []
    for outcome in day.clicks:
        if not outcome.acked or "response_url" not in outcome.payload or day.ground.answers(outcome):
            continue
        if outcome.kind == "slash_commands":
            silent.append(outcome.payload)
            continue
        action = outcome.payload["actions"][0]
        who, case = outcome.payload["user"]["id"], str(action.get("value", "")).split(":")[0]
        if action["action_id"] in OPENS_A_FORM:
            continue
        wanted = ENTERED[action["action_id"]]
        done = [e for e in day.ground.entries(case) if e["type"] == wanted]
        if who not in {day.ground.account(e["actor"]["ref"]) for e in done}:
            silent.append(outcome.payload)
    assert not silent, [
        (p["user"]["id"] if "user" in p else p["user_id"], p.get("actions", p.get("text"))) for p in silent[:5]
    ]


def every_refusal_is_of_a_gesture(day: Session) -> None:
    """Each act is entered once: the inbox held so many acts of a case as the log and the answers show."""
    refused = Counter((e.get("case"), day.ground.account(e["actor"]["ref"]), e["data"]["action"])
                      for e in day.ground.refusals())  # fmt: skip
    gestures: Counter[tuple[str | None, str]] = Counter()
    for outcome in day.outcomes:
        payload = outcome.payload
        if payload.get("type") == "block_actions":
            gestures[str(payload["actions"][0].get("value", "")).split(":")[0], payload["user"]["id"]] += 1
        elif payload.get("type") == "view_submission":
            metadata = payload["view"]["private_metadata"]
            if metadata:
                gestures[metadata.split('"')[3].split(":")[0], payload["user"]["id"]] += 1
    by_pair: Counter[tuple[str | None, str]] = Counter()
    for (case, who, _), count in refused.items():
        by_pair[case, who] += count
    more = {pair: (count, gestures[pair]) for pair, count in by_pair.items() if pair[0] and count > gestures[pair]}
    assert not more, more
    for stranger in STRANGERS:
        wanted = sum(1 for o in day.outcomes if o.acked and _decides(o.payload) and o.payload["user"]["id"] == stranger)
        found = sum(count for (_, who, _), count in refused.items() if who == stranger)
        assert found <= sum(1 for o in day.outcomes if _decides(o.payload) and o.payload["user"]["id"] == stranger)
        missing = wanted - found - _told_to_press_again(day, stranger)
        assert missing <= 0, (stranger, wanted, found)


def _decides(payload: dict[str, Any]) -> bool:
    return (
        payload.get("type") in ("block_actions", "view_submission") and payload.get("view", {}).get("callback_id") != "ask"
    )


def _told_to_press_again(day: Session, who: str) -> int:
    """Clicks at which Slack did not say who somebody is: answered, and not entered."""
    said = [m.shown + m.text for m in day.sandbox.messages(who)]
    return sum("again" in text.lower() for text in said)


def nothing_leaked(day: Session) -> None:
    """Neither provider's people ever saw what the other asked for, and no channel of a domain saw any of it."""
    others = (("northgate", ("U0SOC1", "U0SOC2", "U0SOCLEAD")), ("watchfield", ("U0PE1", "U0PE2", "U0PLEAD")))
    for provider, people in others:
        for who in (*people, "U0OUTSIDE", "U0GUEST", "U0ADMIN", "U0CLIN", "C0DIRECTORY"):
            for message in day.sandbox.messages(who):
                assert SECRET[provider] not in message.shown + message.text, (provider, who, message.text)
            home = day.sandbox.home(who) if who.startswith("U") else None
            assert home is None or SECRET[provider] not in home.shown, (provider, who)
    for who in ("U0OWNER", "U0DEP1"):  # the check can fail: those who decide did see it
        seen = " ".join(m.shown + m.text for m in day.sandbox.messages(who))
        assert any(word in seen for word in SECRET.values())
