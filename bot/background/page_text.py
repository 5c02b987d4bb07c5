"""What a page says: runbook, provider, domain, id and deadline, from the policy and our own words; nothing that anybody typed.

The kind (BREAK-GLASS, FINDING) is said once, in the title; DRILL is in every line. The deadline is in the local time of the
person who is paged, with the zone, because a telephone does not convert it. Design, sections 2 and 4; experience.md, point 13.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from bot.domain.authority.signatures import demanded
from bot.domain.case.model import Case
from bot.domain.policy.model import Policy

DRILL = "DRILL: "


def page_text(case: Case, policy: Policy, zone: str, now: datetime, *, slack_down: bool = False) -> tuple[str, str]:
    """Title and text. `zone`: an IANA name, or empty where nobody knows the person's: then the time is in UTC."""
    request = case.request
    provider, domain = policy.providers.get(request.provider), policy.domains.get(request.domain)
    asker = provider.name if provider else request.provider or (policy.organisation if case.finding else "Drill")
    drill = DRILL if request.drill is not None else ""
    ends = case.approval.due_at or case.approval.expires_at
    due = "Acknowledge it in Slack." if case.finding else f"Answer in Slack by {local(ends, zone, now)}."
    lines = [f"{drill}{request.id}, {domain.name if domain else request.domain}. {due}"]
    address = sign_address(case, policy)
    if slack_down and case.finding is None:
        no = "On the host only a no is possible: countersign requests deny."
        lines += [
            "Slack does not answer.",
            f"Sign with your passkey at {address}" if address and _signs_meanwhile(policy) else no,
        ]
    elif address:
        lines.append(f"A yes is signed with your passkey at {address}")
    return f"{_kind(case)}{asker}: {request.title}", " ".join(lines)


def sign_address(case: Case, policy: Policy) -> str:
    """Where whoever is paged finds the question without Slack; "" where a yes needs no signature. A page carries no link that reads
    the request: it travels over other people's networks."""
    signed = policy.signing is not None and demanded(case, case.approval.kind, policy) != "none"
    return f"{policy.signing.origin}/" if signed and policy.signing is not None else ""


def _signs_meanwhile(policy: Policy) -> bool:
    return policy.signing is not None and policy.signing.when_slack_is_down == "signed"


def _kind(case: Case) -> str:
    if case.finding:
        return "FINDING: "
    if case.request.drill is not None:
        return DRILL
    return "BREAK-GLASS: " if case.break_glass else ""


def local(moment: datetime, zone: str, now: datetime) -> str:
    """`10:39 GMT`, with the weekday where it is another day there; a zone without letters is `UTC+02:00`."""
    try:
        there = moment.astimezone(ZoneInfo(zone or "UTC"))
    except (KeyError, ValueError, OSError):
        there = moment.astimezone(ZoneInfo("UTC"))
    day = "" if there.date() == now.astimezone(there.tzinfo).date() else f"{there:%a} "
    name = there.tzname() or ""
    offset = f"{there:%z}"
    return f"{day}{there:%H:%M} {name if name.isalpha() else f'UTC{offset[:3]}:{offset[3:]}'}"
