"""The standing consent to autonomous rights, read from the bot's database."""

from __future__ import annotations

from bot.cli.host_store import opened_store
from bot.domain.case.model import Case
from bot.domain.governance.matrix import Consent


async def read_consents() -> dict[str, Consent]:
    """By the SHA-256 of a runbook's file: who kept the right last, when, and when its next review is due."""
    async with opened_store(read_only=True) as store:
        found = {}
        for known in await store.cases.system_cases():
            case = await store.cases.case(known.id) if known.kind == "right" else None
            if case is not None:
                found[known.sha256] = _consent(case)
        return found


def _consent(case: Case) -> Consent:
    kept = [vote for ask in case.asks if ask.kind == "right" for vote in ask.votes if vote.answer == "yes"]
    last = max(kept, key=lambda vote: vote.at, default=None)
    due = case.asks[-1].steps[0].due_at
    return Consent(last.person if last else None, last.at if last else None, due)
