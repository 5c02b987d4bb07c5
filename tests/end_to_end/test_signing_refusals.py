"""What a real browser, a real page and the whole bot make of each signature that must not count, over both transports."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Route, expect

from storage.log.check import check_database
from tests.bot.forwarding import forwarded
from tests.bot.passkeys import b64, raw
from tests.end_to_end.ground import Ground, free_port
from tests.end_to_end.keyring import SETTING, Keyring
from tests.end_to_end.test_signing import OWNER, link_of

APPROVE = "Approve with passkey"


@dataclass
class Trial:
    """One bot, the owner's link to one request, and a page that holds a key."""

    bot: Any
    keys: Keyring
    page: Page
    link: str

    @property
    def matrix(self) -> Path:
        return Path(self.bot.home) / "runbooks" / "responsibility.yaml"

    @property
    def entries(self) -> list[str]:
        """The types of all entries that are about more than a message."""
        return [one for one in self.bot.types() if not one.startswith("delivery.")]

    async def opened(self, key: str = "olga", link: str = "", **how: Any) -> None:
        """The page is opened anew, with this key at hand; nothing is changed on the way any more."""
        await self.page.unroute_all(behavior="ignoreErrors")
        await self.keys.hold(self.page, key, **how)
        await self.page.goto("about:blank")
        await self.page.goto(link or self.link)
        await expect(self.page.get_by_role("button", name=APPROVE)).to_be_enabled()

    async def refused(self, text: str, *, entries: int = 1) -> None:
        """A press ends in this sentence, changes nothing, and leaves so many entries."""
        before = self.entries
        await self.page.get_by_role("button", name=APPROVE).click()
        await expect(self.page.get_by_role("status")).to_contain_text(text, timeout=15_000)
        assert self.entries[len(before) :] == ["decision.refused"] * entries

    async def changing(self, path: str, change: Callable[[dict[str, Any]], Mapping[str, object]]) -> None:
        """Somebody between page and bot changes the bodies of these calls."""

        async def through(route: Route) -> None:
            body = route.request.post_data_json
            await route.continue_(post_data=json.dumps({**body, **change(body)}))

        await self.page.route(f"**/api/{path}", through)

    async def any_key(self) -> None:
        """The page lets any passkey of the browser sign, as a page that somebody else made would."""

        async def through(route: Route) -> None:
            answer = await route.fetch()
            await route.fulfill(response=answer, json={**await answer.json(), "keys": []})

        await self.page.route("**/api/statement", through)

    def execute(self, sql: str) -> None:
        if self.bot.server is not None:
            self.bot.write(sql)
        else:
            with closing(sqlite3.connect(self.bot.database, timeout=20)) as raw_, raw_:
                raw_.execute(sql)


async def other_person(trial: Trial) -> None:
    await trial.opened("olga")
    await trial.any_key()
    await trial.keys.hold(trial.page, "dev")
    await trial.page.reload()
    await trial.refused("This link was made for somebody else")
    [(who,)] = trial.bot.rows("SELECT data FROM log_entry ORDER BY idx DESC LIMIT 1")
    assert json.loads(who)["actor"]["kind"] == "person"  # whoever signed is named


async def not_in_the_policy(trial: Trial) -> None:
    await trial.opened("olga")
    await trial.any_key()
    await trial.keys.hold(trial.page, "mallory")
    await trial.page.reload()
    await trial.refused("is not in the policy")


async def no_key_at_all(trial: Trial) -> None:
    await trial.opened("mallory")
    await trial.refused("Nothing was signed", entries=0)


async def no_verification(trial: Trial) -> None:
    async def weaker(route: Route) -> None:
        answer = await route.fetch()
        body = (await answer.text()).replace('userVerification: "required"', 'userVerification: "discouraged"')
        await route.fulfill(response=answer, body=body)

    await trial.opened()
    await trial.page.route("**/page.js", weaker)
    await trial.keys.hold(trial.page, "olga", verified=False)
    await trial.page.reload()
    await trial.refused("did not check your PIN")


async def synced_otherwise(trial: Trial) -> None:
    await trial.opened(eligible=True)
    await trial.refused("something else about being synced")


async def edited_statement(trial: Trial) -> None:
    def longer(body: dict[str, Any]) -> Mapping[str, object]:
        text = raw(body["statement"]).replace(b'"seconds":3600', b'"seconds":7200')
        return {"statement": b64(text)}

    await trial.opened()
    await trial.changing("sign", longer)
    await trial.refused("does not know the statement")


async def more_time(trial: Trial) -> None:
    await trial.opened()
    await trial.changing("statement", lambda body: {"seconds": 999_999} if body["verdict"] == "approve" else {})
    await trial.page.reload()
    await expect(trial.page.get_by_role("status")).to_contain_text("shorter than what was asked for")
    await expect(trial.page.get_by_role("button", name=APPROVE)).to_be_disabled()


async def other_address(trial: Trial) -> None:
    """A page at another address that passes everything on; then one that also names our address as its own."""
    port = free_port()
    async with forwarded(trial.keys.port, port):
        await trial.page.unroute_all()
        await trial.keys.hold(trial.page, "olga")
        await trial.page.goto(f"http://localhost:{port}/d#{trial.link.partition('#')[2]}")
        await expect(trial.page.get_by_role("status")).to_contain_text("opened at another address")

        async def named(route: Route) -> None:
            answer = await route.fetch(headers={**route.request.headers, "origin": trial.keys.origin})
            await route.fulfill(response=answer)

        await trial.page.route("**/api/*", named)
        await trial.page.reload()
        await expect(trial.page.get_by_role("button", name=APPROVE)).to_be_enabled()
        await trial.refused("made on another web address")


async def other_party(trial: Trial) -> None:
    await trial.opened()
    await trial.changing("sign", lambda body: {"authenticator_data": b64(bytes(32) + raw(body["authenticator_data"])[32:])})
    await trial.refused("belongs to another web address")


async def other_signature(trial: Trial) -> None:
    await trial.opened()
    flipped = lambda body: {"authenticator_data": b64(raw(body["authenticator_data"])[:36] + b"\xff")}  # noqa: E731
    await trial.changing("sign", flipped)
    await trial.refused("does not match the key")


async def framed(trial: Trial) -> None:
    """The page refuses to be framed; a browser that frames it all the same says so in what is signed."""
    outer = f"http://127.0.0.1:{trial.keys.port}/"
    frame = f'<iframe src="{trial.link}" allow="publickey-credentials-get *" style="height:700px"></iframe>'
    await trial.keys.hold(trial.page, "olga")
    await trial.page.route(outer, lambda route: route.fulfill(body=frame, content_type="text/html"))
    await trial.page.goto(outer)
    assert [await one.get_by_role("button").count() for one in trial.page.frames[1:]] == [0]

    async def bare(route: Route) -> None:
        answer = await route.fetch()
        kept = ("content-security-policy", "x-frame-options", "permissions-policy", "cross-origin-opener-policy")
        await route.fulfill(response=answer, headers={k: v for k, v in answer.headers.items() if k not in kept})

    await trial.page.route("**/d", bare)
    await trial.page.goto(outer)
    inner = trial.page.frame_locator("iframe")
    before = trial.entries
    await inner.get_by_role("button", name=APPROVE).click()
    await expect(inner.get_by_role("status")).to_contain_text("shown inside another page")
    assert trial.entries[len(before) :] == ["decision.refused"]


async def from_another_site(trial: Trial) -> None:
    """Another site's page posts what it knows: no answer, and nothing changes."""
    before = trial.entries
    await trial.page.unroute_all()
    elsewhere = f"http://127.0.0.1:{trial.keys.port}/page.css"
    await trial.page.goto(elsewhere)
    token = trial.link.partition("#")[2]
    for kind in ("application/json", "text/plain"):
        got = await trial.page.evaluate(
            """([url, kind, token]) => fetch(url, {method: "POST", headers: {"Content-Type": kind}, body: JSON.stringify({token})})
            .then((answer) => answer.text(), (error) => error.name)""",
            [f"{trial.keys.origin}/api/read", kind, token],
        )
        assert got == "TypeError"
    assert trial.entries == before


async def late(trial: Trial) -> None:
    await trial.opened()
    trial.execute("UPDATE sign_statement SET not_after_ms = not_after_ms - 301000")
    await trial.refused("More than five minutes have passed")


async def other_case(trial: Trial) -> None:
    """What was signed for one request is sent to another."""
    second = await trial.bot.other()
    await trial.opened(link=second)
    await trial.changing("sign", lambda _body: {"token": trial.link.partition("#")[2]})
    await trial.refused("does not know the statement")


async def copied_passkey(trial: Trial) -> None:
    await trial.keys.hold(trial.page, "olga", count=50)
    await trial.page.unroute_all()
    await trial.page.goto(f"{trial.keys.origin}/")
    await trial.page.get_by_role("button", name="Sign in with passkey").click()
    await expect(trial.page.get_by_role("status")).to_contain_text("this waits for you")
    await trial.opened(count=7)
    await trial.refused("counter went back")
    heard = lambda: any("may have copied it" in m.text for m in trial.bot.sandbox.messages("U0AUDIT"))  # noqa: E731
    await trial.bot.sandbox.wait_for(heard)


async def something_new(trial: Trial) -> None:
    await trial.opened(count=60)
    ground = Ground(trial.bot)
    case = trial.bot.rows("SELECT case_id FROM sign_link WHERE token = ?", trial.link.partition("#")[2])[0][0]
    await ground.form(OWNER, "question", {"reason": "Which server?"}, metadata=ground.about(case))
    await ground.until(lambda: "request.asked" in ground.kinds(case))
    await ground.form("U0PE1", "answer", {"reason": "dc-core-01, the sync service"}, metadata=ground.about(case))
    await ground.until(lambda: "request.answered" in ground.kinds(case))
    before = trial.entries
    await trial.page.get_by_role("button", name=APPROVE).click()
    await expect(trial.page.get_by_role("status")).to_contain_text("Something new came; read again.")
    await expect(trial.page.get_by_text("the sync service")).to_be_visible()
    assert trial.entries[len(before) :] == ["decision.refused"]


async def a_providers(trial: Trial) -> None:
    """Somebody merges a key of the provider's engineer: that set is refused, and the key is in no policy."""
    honest = trial.matrix.read_text()
    trial.keys.name(trial.matrix, "pavel", trial.keys.line("pavel"))
    await Ground(trial.bot).until(lambda: "policy.rejected" in trial.bot.types(), timeout=20)
    await trial.opened("olga")
    await trial.any_key()
    await trial.keys.hold(trial.page, "pavel")
    await trial.page.reload()
    await trial.refused("is not in the policy")
    assert trial.bot.types().count("policy.loaded") == 1
    trial.matrix.write_text(honest)


async def added_lately(trial: Trial) -> None:
    """A key that somebody merged: it is in the policy, and does not count for what was asked before."""
    trial.keys.name(trial.matrix, "olga", trial.keys.line("olga"), trial.keys.line("mallory"))
    await Ground(trial.bot).until(lambda: trial.bot.types().count("policy.loaded") == 2, timeout=20)
    await trial.opened("mallory")
    await trial.refused("was added lately")


async def removed(trial: Trial) -> None:
    """The page is open, and the key is taken out of the policy a second before the press."""
    await trial.opened(count=70)
    trial.keys.name(trial.matrix, "olga")
    await Ground(trial.bot).until(lambda: trial.bot.types().count("policy.loaded") == 3, timeout=20)
    await trial.refused("is not in the policy")


TRIALS: tuple[Callable[[Trial], Awaitable[None]], ...] = (
    other_person, not_in_the_policy, no_key_at_all, no_verification, synced_otherwise, edited_statement, more_time,
    other_address, other_party, other_signature, framed, from_another_site, late, other_case, copied_passkey, something_new,
    a_providers, added_lately, removed,
)  # fmt: skip


@pytest.mark.timeout(180)
@pytest.mark.parametrize("transport", ["socket", "http"])
async def test_each_signature_that_must_not_count_is_refused_in_a_sentence_and_changes_nothing(
    start: Callable[..., Any], file: Callable[..., Any], phone: Page, transport: str
) -> None:
    keys = Keyring(free_port())
    bot = await start(1, transport, lambda one: one.changed.update({SETTING: keys.listen}), keys.write)
    link = link_of(await file(bot.sandbox), bot.sandbox)

    async def other() -> str:
        return link_of(await file(bot.sandbox, target="dc-core-02"), bot.sandbox)

    bot.other = other
    trial = Trial(bot, keys, phone, link)
    for each in TRIALS:
        print(each.__name__)
        await each(trial)
    types = bot.types()
    assert not {"request.approved", "grant.opened", "request.denied"} & set(types)
    assert check_database(bot.place).findings == ()


@pytest.mark.parametrize("transport", ["socket", "http"])
async def test_one_statement_counts_once_in_two_tabs_replayed_or_after_a_lost_answer(
    start: Callable[..., Any], file: Callable[..., Any], phone: Page, browser: Browser, transport: str
) -> None:
    keys = Keyring(free_port())
    bot = await start(1, transport, lambda one: one.changed.update({SETTING: keys.listen}), keys.write)
    link = link_of(await file(bot.sandbox), bot.sandbox)
    second = await (await browser.new_context()).new_page()
    for n, page in enumerate((phone, second)):
        await keys.hold(page, "olga", count=1 + 10 * n)
        await page.goto(link)
        await expect(page.get_by_role("button", name=APPROVE)).to_be_enabled()
    lost: list[str] = []

    async def lose(route: Route) -> None:
        answer = await route.fetch()
        lost.append(str(route.request.post_data))
        await (route.abort() if len(lost) == 1 else route.fulfill(response=answer))

    await phone.route("**/api/sign", lose)
    await phone.get_by_role("button", name=APPROVE).click()
    await expect(phone.get_by_role("status")).to_contain_text("The answer was lost.", timeout=15_000)
    await phone.get_by_role("button", name="Send again").click()
    await expect(phone.get_by_role("status")).to_contain_text("Signed, and written", timeout=15_000)
    assert lost[0] == lost[1]
    await second.get_by_role("button", name=APPROVE).click()  # the same question in another tab, a statement of its own
    await expect(second.get_by_role("status")).not_to_contain_text("Waiting", timeout=15_000)
    await expect(second.get_by_role("button", name=APPROVE)).to_have_count(0)
    assert bot.types().count("request.approved") == bot.types().count("grant.opened") == 1
    statement = json.loads(lost[0])
    again = await second.evaluate(SIGN_AGAIN, statement)
    assert (again["status"], "counts once" in again["text"]) == (409, True), again
    assert bot.types().count("request.approved") == 1
    assert check_database(bot.place).findings == ()
    await second.context.close()


SIGN_AGAIN = """async (sent) => {
  const data = bytes(sent.statement), challenge = await crypto.subtle.digest("SHA-256", data);
  const made = await navigator.credentials.get({publicKey: {challenge, rpId: "localhost", userVerification: "required"}});
  return call("/api/sign", {
    statement: sent.statement, credential: text64(made.rawId), authenticator_data: text64(made.response.authenticatorData),
    client_data: text64(made.response.clientDataJSON), signature: text64(made.response.signature),
  });
}"""
