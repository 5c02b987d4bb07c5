"""What is said of an executor's answers: never that access is open or closed before the system said so."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.case.model import Case
from handlers.views import receipt
from handlers.views.approval_card import card
from handlers.views.executor import alarm, answered
from handlers.views.kit.context import ViewContext
from tests.bot.building import OWNER, PE1, T0, policy
from tests.bot.office import Office

SCENE = ViewContext(policy(), T0)


def texts(case: Case) -> str:
    return receipt.status(case, SCENE) + card(case, OWNER, SCENE).text


async def case_of(office: Office, *, ended: bool) -> Case:
    case_id = await office.file(PE1, "executed")
    await office.click(OWNER, case_id)
    if ended:
        await office.click(OWNER, case_id, "revoke")
    return await office.case(case_id)


async def test_an_opening_is_only_approved_until_the_system_confirms_it(office: Office) -> None:
    case = await case_of(office, ended=False)
    assert texts(case).count("has not confirmed yet that access is open") == 2
    [call] = case.calls
    opened = replace(case, calls=(replace(call, state="opened", answered_at=T0),))
    assert texts(opened).count("confirmed at") == 2
    assert "could not open the access" in texts(replace(case, calls=(replace(call, state="failed", answered_at=T0),)))


async def test_an_end_is_the_approvals_until_the_system_confirms_that_access_is_closed(office: Office) -> None:
    case = await case_of(office, ended=True)
    said = texts(case)
    assert "*REVOKED* by" in said
    assert "has not confirmed yet that access is closed" in said
    assert "removed" not in said
    dropped, close = case.calls
    assert (dropped.state, close.kind) == ("dropped", "close")
    alarmed = replace(case, calls=(dropped, replace(close, alarmed_at=T0)))
    assert "has not closed the access" in texts(alarmed)
    closed = replace(case, calls=(dropped, replace(close, alarmed_at=T0, state="closed", answered_at=T0)))
    assert "that access is closed" in texts(closed)
    assert "not closed" not in texts(closed)


async def test_without_an_executor_nothing_is_said_of_any_system(office: Office) -> None:
    case_id = await office.file(PE1)
    await office.click(OWNER, case_id)
    assert (await office.case(case_id)).calls == ()
    assert "system" not in texts(await office.case(case_id))


async def test_what_the_system_wrote_forges_nothing_and_the_channel_does_not_read_it(office: Office) -> None:
    case = await case_of(office, ended=True)
    hostile = "<!channel> <https://evil.example|click>"
    for said in (answered(case, "failed", hostile, SCENE), alarm(case, hostile, SCENE)):
        assert "<!channel>" not in said.text
        assert "<https" not in said.text
    assert "click" not in alarm(case, "", SCENE).text
    assert case.request.target not in alarm(case, "", SCENE).text
