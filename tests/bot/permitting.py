"""An office whose log is signed, for tests of what is given only then."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bot.decision_log.signer import signer_of
from bot.domain.case.click import Rejected
from bot.domain.case.transition import OPERATOR
from bot.service.permits import Permit, PermitIssuer
from tests.bot.building import OWNER, PE1
from tests.bot.office import Office
from tests.database import open_store


@dataclass
class SignedOffice(Office):
    """The signer's memory and the keys are in `state`, beside the database."""

    @property
    def state(self) -> Path:
        return self.path.parent / "state"

    async def open(self) -> Self:
        begun = await open_store(self.path, self.clock, "test.example/log", self.state)
        await begun.close()
        await super().open()
        self.signer = signer_of(self.store.log, self.state, nullcontext())
        self.issuer = PermitIssuer(self.mortal, self.signer.cover, self.state, self.clock)  # type: ignore[arg-type]
        return self

    async def permit(self, case_id: str) -> Permit:
        made = await self.issuer.issue(case_id, self.policy, OPERATOR)
        assert isinstance(made, Permit), made
        return made

    async def refused(self, case_id: str) -> Rejected:
        made = await self.issuer.issue(case_id, self.policy, OPERATOR)
        assert isinstance(made, Rejected), made
        return made

    async def approved(self, runbook: str = "emergency", **how: object) -> str:
        """A request of PE1 that the owner has approved."""
        case_id = await self.file(PE1, runbook, **how)
        await self.click(OWNER, case_id)
        return case_id
