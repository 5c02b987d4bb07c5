"""What somebody who was away reads at their return."""

from __future__ import annotations

import json

from bot.domain.case.ask import AskKind
from bot.domain.case.lifecycle import AskState, RequestState
from bot.ports.records import DecidedFor
from handlers.views.kit.context import ViewContext
from handlers.views.welcome_back import returned
from tests.bot import parts
from tests.bot.building import DEP1, HOUR, MINUTE, OWNER, PE1, T0, policy
from tests.bot.office import Office, covered
from tests.handlers.fake_slack import FakeSlack

SCENE = ViewContext(policy(), T0)


def one(kind: AskKind = "approval", ask: str = "yes", state: str = "approved", answer: str = "yes") -> DecidedFor:
    return DecidedFor("R-00000001", "Emergency", kind, AskState(ask), RequestState(state), DEP1, answer)


def line(decided: DecidedFor) -> str:
    return returned([decided], T0, SCENE).text.split("\n")[1]


async def test_it_names_the_request_who_answered_and_what_came_of_it_and_never_target_or_reason(office: Office) -> None:
    async with FakeSlack() as slack:
        messenger = parts.sender(office, slack.client(), covered)
        await office.away(OWNER, HOUR)
        office.sleep(MINUTE)
        case_id = await office.file(PE1, target="dc-secret", reason="why-secret")
        await office.click(DEP1, case_id, "deny")
        await office.away(OWNER)
        await messenger.drain()
        (told,) = [c for c in slack.said("on your behalf") if c.args["channel"] == OWNER.user]
        assert f"• {case_id} · The emergency runbook: <@U0DEP1> said no (denied)" in told.args["text"]
        assert "secret" not in json.dumps(told.args)
        sent = [e["data"] for e in office.log() if e["type"] == "delivery.sent"]
        assert {"purpose": "returned", "to": OWNER} in sent


def test_each_kind_of_question_says_what_came_of_it() -> None:
    assert "said yes (approved)" in line(one())
    assert "said yes (more approvals are needed)" in line(one(ask="open", state="pending"))
    assert "said yes (expired without an answer)" in line(one(ask="expired", state="expired"))
    assert "said yes (break-glass ratified)" in line(one("ratification", state="opened"))
    assert "said no (break-glass rejected)" in line(one("ratification", "no", "opened", "no"))
    assert "said no (review flagged)" in line(one("review", "no", answer="no"))
    assert "said yes (more time given)" in line(one("extension"))
    assert "said no (withdrawn)" in line(one("right", "no", answer="no"))
    assert "said yes (renewed)" in line(one("renewal"))


def test_a_long_absence_fits_one_message() -> None:
    many = [DecidedFor("R-00000001", "T" * 200, "approval", AskState.YES, RequestState.APPROVED, DEP1, "yes")] * 200
    said = returned(many, T0, SCENE)
    assert len(said.text) <= 3000
    assert "… and 185 more: the log has them." in said.text
