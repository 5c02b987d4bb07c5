"""Who kept an autonomous right last is read from the bot's database."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.cli.matrix.consents import read_consents
from bot.cli.matrix.forms import consent_words
from bot.domain.governance.matrix import Consent, rows
from bot.domain.policy.governance import Agreement, ReviewRules
from tests.bot.building import DAY, OWNER, SHA, T0, policy, runbook
from tests.bot.governed import GovernedOffice
from tests.bot.office import Office
from tests.database import url

RIGHT = runbook("unlock", kind="reset", right="autonomous", escalation=None, review_within=None, review_every=10 * 86400)


async def test_a_kept_right_says_by_whom_when_and_when_it_is_due(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "countersign.db"
    monkeypatch.setenv("COUNTERSIGN_DATABASE_URL", url(path))
    monkeypatch.setenv("COUNTERSIGN_STATE_DIR", str(tmp_path / "state"))
    async with Office(path, policy(runbooks=[RIGHT])) as office:
        await office.sweeper.sweep()
        assert await read_consents(office.policy) == {SHA: Consent(None, None, T0 + 10 * DAY)}
        office.clock.at = T0 + 10 * DAY
        await office.sweeper.sweep()
        (known,) = await office.store.cases.system_cases()
        await office.click(OWNER, known.id, "keep")
        kept = T0 + 10 * DAY
        assert await read_consents(office.policy) == {SHA: Consent(OWNER, kept, kept + 10 * DAY)}


async def test_a_right_of_the_owners_campaigns_says_the_same_and_what_a_review_took_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "countersign.db"
    monkeypatch.setenv("COUNTERSIGN_DATABASE_URL", url(path))
    monkeypatch.setenv("COUNTERSIGN_STATE_DIR", str(tmp_path / "state"))
    governed = policy(
        runbooks=[replace(RIGHT, review_every=None)], review=ReviewRules(180 * 86400, 90 * 86400, 10, "narrow"),
        default_escalation="short",
    )  # fmt: skip
    async with GovernedOffice(path, governed) as office:
        await office.begin(None)
        assert await read_consents(governed) == {SHA: Consent(None, None, T0)}
        (mine,) = [c for c in await office.campaigns() if c.owner == OWNER]
        await office.answer(OWNER, mine, "keep", "autonomous:unlock")
        assert await read_consents(governed) == {SHA: Consent(OWNER, T0, T0 + 180 * DAY)}
        await office.pass_days(190)
        again = next(c for c in await office.campaigns(closed_too=False) if c.item("autonomous:unlock"))
        await office.answer(OWNER, again, "withdraw", "autonomous:unlock")
        lost = (await read_consents(governed))[SHA]
        assert lost == Consent(taken_at=office.clock.at, refused=True)
        (row,) = rows(governed, governed.domains["directory"], {SHA: lost})
        assert consent_words(governed, row).endswith("refused until its runbook changes")


async def test_a_disputed_right_needs_a_yes_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "countersign.db"
    monkeypatch.setenv("COUNTERSIGN_DATABASE_URL", url(path))
    monkeypatch.setenv("COUNTERSIGN_STATE_DIR", str(tmp_path / "state"))
    agreed = policy(runbooks=[RIGHT], agreement=Agreement(365 * 86400, 30 * 86400, "warn"))
    async with GovernedOffice(path, agreed) as office:
        await office.begin(None)
        await office.speak(OWNER, "disputed", "unlock")
        lost = (await read_consents(agreed))[SHA]
        assert lost == Consent(taken_at=office.clock.at, disputed=True)
        (row,) = rows(agreed, agreed.domains["directory"], {SHA: lost})
        assert (row.column, consent_words(agreed, row)) == (
            "with_authorisation",
            f"standing consent: taken away by a dispute on {T0:%Y-%m-%d}; needs a yes each time",
        )
