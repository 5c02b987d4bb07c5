"""Judges confirmations of the matrix again: by owners and risk owners, each for domains of theirs, by nobody of a provider."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.domain.decision_log.verify.log import Code
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person


def confirmed(entry: Mapping[str, object], policy: Policy, person: Person | None) -> Iterator[tuple[Code, str]]:
    """The finding of policy against one `matrix.confirmed`. `person` None: their name was erased."""
    actor, data = entry.get("actor"), entry.get("data")
    if not isinstance(actor, dict) or actor.get("party") != "home":
        yield "party", "matrix.confirmed by somebody of a provider. Nobody of a provider agrees to the matrix."
    listed = data.get("rows") if isinstance(data, dict) else None
    keys = [str(row.get("row")) for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    for key in keys if person is not None else ():
        runbook = policy.runbooks.get(key)
        domain = policy.domains.get(runbook.domain if runbook else key.removeprefix("domain:"))
        if domain is None or person not in (domain.owner, domain.risk_owner):
            yield "policy", f"matrix.confirmed for {key} by {person}, who neither owns that domain nor signs its risk."
