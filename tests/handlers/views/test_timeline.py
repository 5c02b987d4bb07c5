"""What happens next, as lines of the form's last page and the receipt."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.policy.model import EscalationPolicy, PolicyStep
from bot.domain.workflow.timeline import ahead
from handlers.views.dialogs import filed_result
from handlers.views.receipt import receipt
from handlers.views.timeline import SHOWN, lines
from sandbox.blocks import check_message, check_view
from tests.bot.building import HERE, away, case_of, policy, runbook
from tests.handlers.views.test_approval_card import BASE, scene


def test_each_moment_is_a_line_with_its_time_and_people() -> None:
    told = lines(ahead(case_of(BASE), BASE, HERE), scene())
    assert [line.split("}")[-1].split(">", 1)[1] if "}" in line else line for line in told] == [
        "*What happens next if nobody answers*",
        ": <@U0OWNER> will be reminded",
        ": <@U0DEP1>, <@U0DEP2> will be asked",
        ": <@U0ONC1> will be asked, by page too",
        ": <@U0RISK> will be asked",
        ": it expires, and nothing opens",
    ]
    assert "09:05 UTC" in told[2]


def test_a_step_that_will_find_nobody_says_why() -> None:
    told = lines(ahead(case_of(BASE), BASE, away(U0DEP1="absent", U0DEP2="absent")), scene())
    assert "Deputy: skipped (away, so the next are asked at once)" in told[2]
    assert "09:05 UTC" in told[3]
    assert "<@U0ONC1> will be asked" in told[3]


def test_a_decided_request_has_nothing_ahead() -> None:
    assert lines((), scene()) == []


def test_a_long_ladder_is_cut_and_fits_slack() -> None:
    steps = tuple(PolicyStep(n * 10, "notify" if n == 0 else "remind", "owner") for n in range(60))
    base = policy(runbooks=[runbook(escalation="long")], escalation_policies=[EscalationPolicy("long", 700, steps)])
    case = case_of(base)
    moments = ahead(case, base, HERE)
    assert len(lines(moments, scene(base))) == SHOWN + 3
    at = replace(scene(base), ahead={case.id: moments})
    shown = receipt(case, at)
    assert check_message([*shown.blocks]) == []
    assert check_view(filed_result(case, at), "modal") == []


def test_a_message_says_what_comes_next_once_as_a_list_or_in_prose() -> None:
    case = case_of(BASE)
    at = replace(scene(), ahead={case.id: ahead(case, BASE, HERE)})
    for shown in (receipt(case, at).blocks, filed_result(case, at)["blocks"]):
        assert "What happens next if nobody answers" in str(shown)
        assert "Without an answer" not in str(shown)
    assert "Without an answer" in str(receipt(case, scene()).blocks)
