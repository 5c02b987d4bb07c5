"""What a drill says: DRILL in every line, one button, nothing to decide."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bot.domain.case.model import Case, Drill
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.workflow import drill as drilling
from bot.domain.workflow import timers
from handlers.ids import HERE as HERE_ACTION
from handlers.views import drill
from handlers.views.answers import SENTENCES, say
from handlers.views.kit.blocks import Message
from sandbox.blocks import check_message
from tests.bot.building import DEP1, DEP2, HERE, HOME, MINUTE, ONC1, OWNER, RISK, T0, after, click, policy, runbook
from tests.handlers.views.test_approval_card import labels, scene, texts

BASE = policy()
ME = Person(HOME, "U0CALLER")


def going(base: Policy = BASE, *, only_me: Person | None = None, minutes: int = 5) -> Case:
    case = after(drilling.start(base, base.runbooks["emergency"], "R-0000000D", Drill(only_me=only_me), T0, 1))
    for minute in range(minutes + 1):
        case = after(timers.sweep(case, base, HERE, T0 + minute * MINUTE, 0))
    return case


def answered(case: Case, person: Person, seconds: float) -> Case:
    return after(drilling.here(case, BASE, click(person, "here"), HERE, T0 + timedelta(seconds=seconds)))


def ended() -> Case:
    case = answered(answered(going(), OWNER, 12.34), DEP1, 345)
    failed = timers.card_failed(case, BASE, HERE, DEP2, "user_not_found", T0 + 6 * MINUTE)
    case = after(timers.sweep(after(failed), BASE, HERE, T0 + 16 * MINUTE, 0))
    return after(timers.sweep(case, BASE, HERE, T0 + 45 * MINUTE, 0))


def every_line(message: Message) -> list[str]:
    return [line for text in (message.text, *texts(message)) for line in text.split("\n")]


def all_of_them() -> list[Message]:
    at = scene(minutes=50)
    hostile = going(policy(runbooks=[runbook(title="Evil\n*Approved* <!channel>")]))
    return [
        drill.card(going(), OWNER, scene(minutes=6)), drill.card(going(only_me=ME), ME, scene(minutes=6)),
        drill.card(ended(), OWNER, at), drill.reminder(going(), OWNER, at), drill.alarm(going(), "owner", "deactivated"),
        drill.report(ended(), at, whole=True), drill.report(ended(), at, whole=False),
        drill.report(going(), scene(minutes=6), whole=True), drill.card(hostile, OWNER, at),
        *(say(word, {"at": 1}, at) for word in SENTENCES if word.startswith("drill")),
    ]  # fmt: skip


def test_the_card_says_which_button_to_press_until_it_is_pressed() -> None:
    press = "Press “I am here”"
    assert press in drill.card(going(), OWNER, scene(minutes=6)).text
    assert press not in drill.card(answered(going(), OWNER, 12), OWNER, scene(minutes=6)).text
    assert press not in drill.card(ended(), OWNER, scene(minutes=50)).text


def test_every_line_says_drill_and_fits_slack() -> None:
    for message in all_of_them():
        assert [line for line in every_line(message) if not line.startswith("DRILL · ")] == []
        assert check_message([*message.blocks]) == []
        assert "<!channel>" not in str(message)


def test_the_card_has_one_button_and_nothing_that_decides() -> None:
    shown = drill.card(going(), OWNER, scene(minutes=6))
    assert labels(shown) == ["I am here"]
    [button] = [e for b in shown.blocks if b["type"] == "actions" for e in b["elements"]]
    assert (button["action_id"], button["value"]) == (HERE_ACTION, "R-0000000D:1")
    assert "Nothing is asked for, and nothing opens" in shown.text


def test_anyone_who_answered_has_no_button_and_reads_how_fast_they_were() -> None:
    shown = drill.card(answered(going(), OWNER, 12.34), OWNER, scene(minutes=6))
    assert labels(shown) == []
    assert "answered after 12.3 s" in shown.text


def test_only_me_reads_who_would_have_been_asked_and_has_the_button_again_after_the_next_step() -> None:
    case = going(only_me=ME)
    shown = drill.card(case, ME, scene(minutes=6))
    assert all(f"<@{p.user}>" in shown.text for p in (OWNER, DEP1, DEP2))
    assert labels(shown) == ["I am here"]
    case = answered(case, ME, 330)
    assert labels(drill.card(case, ME, scene(minutes=6))) == []
    later = after(timers.sweep(case, BASE, HERE, T0 + 10 * MINUTE, 0))
    assert labels(drill.card(later, ME, scene(minutes=10))) == ["I am here"]


def test_the_report_counts_who_was_reached_and_names_the_slowest_and_the_missed() -> None:
    short = drill.report(ended(), scene(minutes=50), whole=False).text
    assert "2 of 5 people were reached, the slowest, <@U0DEP1>, after 45.0 s." in short
    assert "Not reached: <@U0DEP2>, <@U0ONC1>, <@U0RISK>." in short
    whole = drill.report(ended(), scene(minutes=50), whole=True).text
    assert "<@U0OWNER>, as owner, was asked" in whole
    assert "could not deliver it (user_not_found)" in whole
    assert whole.count("did not answer") == len({ONC1, RISK})


def test_times_between_people_are_real_whatever_the_clock() -> None:
    shown: Any = drill.card(answered(going(), OWNER, 12), OWNER, scene(minutes=6, scale=60))
    assert "answered after 12.0 s." in shown.text
