"""The standing consent to autonomous rights, and what reviews have taken away, read from the bot's database.

A right is reviewed by itself (`review_every`) or in the owner's campaigns (`review`); the newest answer counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from bot.cli.host_store import opened_store
from bot.domain.case import campaign
from bot.domain.case.model import Case
from bot.domain.governance import agreement, narrowing
from bot.domain.governance.agreement import Spoken
from bot.domain.governance.matrix import Consent
from bot.domain.policy.governance import Narrowed
from bot.domain.policy.model import Policy, Runbook


async def read_consents(policy: Policy, scale: float = 1) -> dict[str, Consent]:
    """By the SHA-256 of a runbook's file: who kept the right last, when, and when its next review is due."""
    async with opened_store(read_only=True) as store:
        found = {}
        for known in await store.cases.system_cases():
            case = await store.cases.case(known.id) if known.kind == "right" else None
            if case is not None:
                found[known.sha256] = _consent(case)
        words = [one for one in await store.reviews.consents() if one.kind == "autonomous"]
        taken = await store.reviews.narrowed()
        spoken = await store.agreement.words() if policy.agreement is not None else ()
    found |= dict(_of_campaigns(policy, words, taken, scale)) if policy.review is not None else {}
    return found | {digest: lost for digest, lost in _disputed(policy, spoken) if not found.get(digest, lost).refused}


def _disputed(policy: Policy, spoken: Sequence[Spoken]) -> Iterator[tuple[str, Consent]]:
    """The autonomous rights whose row somebody who has to agree disputes: each use needs a yes."""
    for row in agreement.matrix_rows(policy).values():
        runbook = policy.runbooks.get(row.runbook)
        if runbook is not None and runbook.right == "autonomous" and agreement.disputed(spoken, row):
            at = max(word.at for word in spoken if (word.key, word.word) == (row.key, "disputed"))
            yield runbook.sha256, Consent(taken_at=at, disputed=True)


def _of_campaigns(
    policy: Policy, words: Sequence[campaign.Consent], taken: Sequence[Narrowed], scale: float
) -> Iterator[tuple[str, Consent]]:
    for word in words:
        runbook = policy.runbooks.get(word.of)
        if runbook is None or runbook.domain != word.domain or runbook.right != "autonomous":
            continue
        lost = next(
            (one for one in taken if one.kind == "autonomous" and one.of == word.of and narrowing.holds(one, runbook)), None
        )
        if lost is not None:
            yield runbook.sha256, Consent(taken_at=lost.since, refused=lost.effect == "withdraw")
        elif word.effect not in ("narrowed", "withdrawn"):
            yield runbook.sha256, _reviewed(policy, runbook, word, scale)


def _reviewed(policy: Policy, runbook: Runbook, word: campaign.Consent, scale: float) -> Consent:
    assert policy.review is not None
    period = timedelta(seconds=(runbook.review_every or policy.review.every) / scale)
    kept = word.effect == "kept"
    due = word.at if word.effect == "due" else word.at + period
    return Consent(word.by if kept else None, word.at if kept else None, due)


def _consent(case: Case) -> Consent:
    kept = [vote for ask in case.asks if ask.kind == "right" for vote in ask.votes if vote.answer == "yes"]
    last = max(kept, key=lambda vote: vote.at, default=None)
    due = case.asks[-1].steps[0].due_at
    return Consent(last.person if last else None, last.at if last else None, due)
