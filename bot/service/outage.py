"""Decisions while Slack is down, where the policy says `when_slack_is_down: signed`.

A signed yes then counts on Slack's last stored answer about the account, if that was a full, active member at most seven days ago; the
entry says `account: unconfirmed`. So the answers about everybody who holds a passkey are kept and renewed while Slack answers. When
it is back each such account is looked up: whoever is gone or a guest by then is an alarm, and what they gave is reviewed at once.
Source: signed-decisions.md, "When Slack is down".
"""

from __future__ import annotations

from datetime import timedelta

import structlog

from bot.clock import Clock
from bot.domain.authority.authorization import named_for
from bot.domain.case.model import Case
from bot.domain.case.transition import Transition
from bot.domain.errors import CountersignError, LookupFailed
from bot.domain.policy.people import Person, Profile
from bot.domain.workflow import notifications
from bot.domain.workflow.slack_down.host_filing import reviewed_now
from bot.domain.workflow.wake import wake_at
from bot.ports.directory import Directory
from bot.ports.signing import Unconfirmed
from bot.ports.store import Store
from bot.service.accounts import DECISION_AGE
from bot.service.current_policy import CurrentPolicy
from bot.service.transactions import TransactionRunner

GOOD_FOR, RENEWED_AFTER = timedelta(days=7), timedelta(hours=6)  # of real time
log = structlog.get_logger(__name__)


class Outage:
    """One for each process."""

    def __init__(
        self, store: Store, directory: Directory, clock: Clock, current: CurrentPolicy, transactions: TransactionRunner
    ) -> None:
        self._store, self._directory, self._clock = store, directory, clock
        self._current, self._transactions = current, transactions

    @property
    def decides(self) -> bool:
        """Whether anything is decided while Slack is down."""
        signing = self._current.policy.signing
        return signing is not None and signing.when_slack_is_down == "signed"

    async def last_answer(self, person: Person) -> Profile | None:
        """The account by Slack's last stored answer; None where that does not do."""
        known = await self._store.signing.account(person) if self.decides else None
        if known is None or not known[0] or self._clock.now() - known[1] > GOOD_FOR:
            return None
        return Profile(person, self._current.policy.name_of(person))

    async def look(self) -> None:
        """Renews what is stored about accounts, and looks up those that could not be confirmed. Raises nothing."""
        if not self.decides:
            return
        try:
            await self._renew()
            for yes in await self._store.signing.unconfirmed():
                await self._confirm(yes)
        except LookupFailed:
            return  # Slack does not answer
        except CountersignError as error:
            log.warning("accounts.not_looked_up", error=str(error))

    async def _renew(self) -> None:
        """Raises LookupFailed at the first account that Slack does not answer for."""
        now = self._clock.now()
        for person in [named.person for named in self._current.policy.people if named.passkeys]:
            known = await self._store.signing.account(person)
            if known is None or now - known[1] >= RENEWED_AFTER:
                profile = await self._directory.profile(person, DECISION_AGE)
                await self._store.signing.keep_account(person, full=self._is_full(person, profile))

    async def _confirm(self, yes: Unconfirmed) -> None:
        """One account that could not be confirmed. Raises LookupFailed while it still cannot."""
        profile = await self._directory.profile(yes.person, DECISION_AGE)
        full = self._is_full(yes.person, profile)
        await self._store.signing.keep_account(yes.person, full=full)
        if not full:
            log.error("account.gone_after_yes", request=yes.case)
            await self._transactions.retry_on_conflict(lambda: self._alarmed(yes), None)
        await self._store.signing.confirmed(yes)

    async def _alarmed(self, yes: Unconfirmed) -> Transition | None:
        """Everybody named is informed, and what was given is reviewed now."""
        case = await self._store.cases.case(yes.case)
        if case is None:
            return None
        policy, now = self._current.policy, self._clock.now()
        text = (
            f"{policy.name_of(yes.person)} signed a yes to {case.id} while Slack was down. Slack answers again, and says that the"
            " account is gone or a guest's. Look at it now; Revoke ends what is open."
        )
        says = tuple(notifications.answer(case.id, one, {}, "plain", text=text) for one in self._told(case))
        review = reviewed_now(case, policy, now)
        if review is None:
            return Transition(None, None, says=says)
        wake = wake_at(review.case, policy, now)
        return Transition(case, review.case, review.drafts, (*says, *review.says), wake, refresh=True)

    def _told(self, case: Case) -> tuple[Person, ...]:
        policy = self._current.policy
        domain = policy.domains.get(case.request.domain)
        named = named_for(policy, domain) if domain is not None else ()
        return tuple(dict.fromkeys((*named, *policy.auditors)))

    def _is_full(self, person: Person, profile: Profile) -> bool:
        """A full, active member of a home workspace, as every decision wants it."""
        unfit = profile.deleted or profile.is_bot or profile.is_guest or profile.is_stranger
        return not unfit and profile.person == person and person.team in self._current.policy.workspaces
