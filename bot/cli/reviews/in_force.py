"""A policy as the bot's database has it in force: without what reviews took away, what is disputed, what waits to be confirmed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.cli.host_store import opened_store, read_policy
from bot.domain.governance import agreement, agreement_words, narrowing
from bot.domain.governance.agreement import MatrixRow, Spoken, Standing
from bot.domain.policy.model import Policy, Runbook


async def in_force(policy: Policy, runbook: Runbook) -> tuple[Policy, list[str]]:
    """The policy as it counts for a request under `runbook`, and a line for each reason why that is less than its file says."""
    async with opened_store(read_only=True) as store:
        taken = frozenset(await store.reviews.narrowed())
        words, rows = await store.agreement.words(), await store.agreement.rows()
        waiting = {row.key: row for row in rows if _waits(policy, row)}
        stored = {base: await store.policies.by_digest(base) for base in {row.base for row in waiting.values()} if base}
    bases = {base: read_policy(found) for base, found in stored.items() if found is not None}
    held = {key: _base(policy, bases, row) for key, row in waiting.items()}
    said = list(_agreed(policy, runbook, words, waiting))
    counted = agreement.as_counted(policy, held, [row.key for row in _disputed(policy, words)])
    if not counted.runbooks[runbook.id].providers:
        return policy, [*said, "Until then nobody may ask for it. Afterwards:"]
    reviewed = replace(counted, standing=replace(counted.standing, narrowed=taken))
    one = narrowing.of_right(reviewed, runbook) if policy.review is not None else None
    if one is None:
        return counted, said
    return narrowing.as_reviewed(reviewed, counted.runbooks[runbook.id]), [narrowing.in_words(one), *said]


def _waits(policy: Policy, row: Standing) -> bool:
    """Whether a row of the matrix, as it is now, is held until it is confirmed."""
    now = agreement.matrix_rows(policy).get(row.key)
    hold = policy.agreement is not None and policy.agreement.unconfirmed == "hold"
    return hold and now is not None and now.digest == row.digest and row.open and row.base != policy.digest


def _base(policy: Policy, bases: dict[str, Policy | None], row: Standing) -> Policy | None:
    """The set under which a held row counted last; None: it never counted."""
    return None if not row.base else bases.get(row.base) or agreement.with_a_yes(policy)


def _disputed(policy: Policy, words: Sequence[Spoken]) -> list[MatrixRow]:
    if policy.agreement is None:
        return []
    return [row for row in agreement.matrix_rows(policy).values() if agreement.disputed(words, row)]


def _agreed(policy: Policy, runbook: Runbook, words: Sequence[Spoken], waiting: dict[str, Standing]) -> list[str]:
    """The lines about the runbook's own row of the matrix."""
    lines = [
        agreement_words.disputed_in_words(policy, row, words) for row in _disputed(policy, words) if row.key == runbook.id
    ]
    row = waiting.get(runbook.id)
    if row is not None:
        lines.append(agreement_words.held_in_words(policy, agreement.matrix_rows(policy)[row.key], row.since))
    return lines
