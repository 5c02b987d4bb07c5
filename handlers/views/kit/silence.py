"""What happens without an answer: who will really be asked next and when, because of whom, and when it ends.

Who is asked is the engine's word (`bot.domain.workflow.timeline`): it knows who is away, gone, asleep or barred. Where the coming
steps of a case are not at hand, the line names its end only, so that it promises nobody who may not be asked.
"""

from __future__ import annotations

from bot.domain.case.model import Case
from bot.domain.workflow.timeline import Moment
from handlers.views.kit import finding
from handlers.views.kit.context import ViewContext, everyone

_BECAUSE = {
    "absent": "{} is away",
    "deactivated": "the account of {} is deactivated",
    "undeliverable": "Slack cannot deliver to {}",
}


def silence(case: Case, scene: ViewContext) -> str:
    """The line of a pending case, in one sentence."""
    if case.finding is not None:
        return finding.silence(case, scene)
    expires = f"at {scene.at(case.approval.expires_at)} the request expires and nothing opens."
    moments = scene.coming(case)
    place = next((n for n, moment in enumerate(moments) if moment.what == "ask"), None)
    if place is None:
        return f"Without an answer, {expires}"
    following, because = moments[place], [_because(m) for m in moments[:place] if m.what == "skip"]
    why = " and ".join(dict.fromkeys(reason for reason in because if reason))
    told = f"{everyone(following.people)} will be asked at {scene.at(following.at)}"
    return f"Without an answer, {told}{f', because {why}' if why else ''}; {expires}"


def _because(skipped: Moment) -> str:
    """Why somebody else is asked: `the account of @Olga is deactivated`."""
    people = skipped.missing
    text = _BECAUSE.get(skipped.why, "").format(everyone(people)) if people else ""
    return text.replace(" is away", " are away") if len(people) > 1 else text
