"""The policy of a large organisation: 3 providers, 12 domains and 40 runbooks, as the files that a policy folder holds."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain.errors import PolicyError
from bot.domain.policy.model import Policy
from runbooks.loader import load_files

HOME = "T0YEAR"
PROVIDERS = ("alder", "birch", "cedar")
AREAS = (
    "directory", "clinical", "vault", "machines", "finance", "payroll", "research", "mail", "network", "cloud", "devices",
    "backup",
)  # fmt: skip
RUNBOOKS = 40
REQUESTERS = 8  # of each provider
_DUTIES = (
    "emergency_access", "reset", "reset", "emergency_access", "reset", "policy_exception", "reset", "break_glass",
    "autonomous", "finding",
)  # fmt: skip


def policy() -> Policy:
    """The policy, loaded as every other. Raises PolicyError."""
    loaded = load_files(files())
    if loaded.policy is None:
        raise PolicyError("\n".join(str(finding) for finding in loaded.errors))
    return loaded.policy


def files() -> dict[str, bytes]:
    """The matrix and every runbook, by file name."""
    found = {"responsibility.yaml": "\n".join(_matrix()) + "\n"}
    found |= {f"{id_}.md": "\n".join(lines) + "\n" for id_, lines in map(_runbook, range(RUNBOOKS))}
    return {name: text.encode() for name, text in found.items()}


def _matrix() -> Iterator[str]:
    yield from ("organisation: Example Large Organisation", 'contact: "#identity-help"', f"workspaces: [{HOME}]", "people:")
    for n, area in enumerate(AREAS):
        yield f"  owner-{area}: {{id: U0OWNER{n:02}, name: Owner {area.title()}}}"
        yield f"  deputy-{area}: {{id: U0DEPUTY{n:02}, name: Deputy {area.title()}}}"
    yield from (f"  risk-{n}: {{id: U0RISK{n}, name: Risk Owner {n}}}" for n in range(3))
    yield from ("  auditor: {id: U0AUDITOR, name: Auditor}", "auditors: [auditor]", "reports: monthly", "providers:")
    for provider in PROVIDERS:
        people = ", ".join(requester_ids(provider))
        yield f"  {provider}:"
        yield f"    name: {provider.title()} Managed Services"
        yield f"    workspaces: [T0{provider.upper()}]"
        yield f"    requesters: [{people}]"
        yield f"    leads: [U0{provider.upper()}LEAD]"
        yield f"    channel: C0{provider.upper()}"
    yield "domains:"
    for n, area in enumerate(AREAS):
        yield f"  {area}:"
        yield f"    name: {area.title()}"
        yield f"    owner: owner-{area}"
        yield f"    deputies: [deputy-{area}]"
        yield f"    risk_owner: risk-{n % 3}"
        yield f"    channel: C0{area.upper()}"
        yield '    hours: {days: [mon, tue, wed, thu, fri], from: "08:00", to: "18:00", time_zone: Europe/London}'
    yield from ("escalation_policies:", "  urgent:", "    expires_after: 45m", "    steps:")
    yield from ("      - {after: 0m, notify: owner}", "      - {after: 5m, notify: deputies}")
    yield "      - {after: 15m, notify: risk_owner}"


def requester_ids(provider: str) -> list[str]:
    """The ids of those of a provider who may ask."""
    return [f"U0{provider.upper()}{n}" for n in range(REQUESTERS)]


def _runbook(n: int) -> tuple[str, list[str]]:
    duty, area = _DUTIES[n % len(_DUTIES)], AREAS[n % len(AREAS)]
    id_ = f"{area}-{n:02}-{duty.replace('_', '-')}"
    kind = {"break_glass": "emergency_access", "autonomous": "reset"}.get(duty, duty)
    lines = ["---", f"id: {id_}", f"title: Work {n} on {area}", f"kind: {kind}", f"domain: {area}"]
    lines += [f"providers: [{PROVIDERS[n % 3]}]", "escalation: urgent", *_RIGHTS[duty]]
    return id_, [*lines, "---", "Do what was agreed, in the order that was agreed.", "", "## Steps", "1. Do it."]


_RIGHTS = {
    "emergency_access": ("right: approval", "approvals: 1", "max_duration: 4h", "evidence: [recording]", "review_within: 24h"),
    "reset": ("right: approval", "approvals: 1", "max_duration: 1h"),
    "policy_exception": ("right: approval", "approvals: 1", "max_duration: 90d"),
    "break_glass": (
        "right: immediate", "max_duration: 1h", "review_within: 24h", "break_glass: {ratify_within: 4h, quota: 1000 per 7d}",
    ),
    "autonomous": ("right: autonomous", "max_duration: 1h"),
    "finding": ("due_within: 1h",),
}  # fmt: skip
