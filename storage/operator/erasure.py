"""Takes everything that is disclosed about a person out of the database. What may be erased is `bot.domain.operator.erasure`'s.

In one transaction: the disclosures go, the cases they are about hold no text any more, the account leaves every table of
state, each of our messages about those cases is to be redrawn, and the log names the digests that were erased. Free pages are
overwritten (secure_delete); the write-ahead log and what moved between pages go with the VACUUM afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.domain.case.transition import Lane
from bot.domain.errors import NotDone, NotYet, Stale
from bot.domain.operator import erasure as rules
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from storage.log import private_text
from storage.queues import homes
from storage.session import Session
from storage.transactions import Tx
from storage.values import moment_or_none, ms

_ACCOUNT_IN = (
    "erase_requester", "erase_case_subject", "erase_closer", "erase_driller", "erase_reached", "erase_vote", "erase_behalf",
    "erase_note", "erase_ender", "erase_duty", "erase_copy", "erase_said", "erase_absence", "erase_agreement_word",
    "erase_agreement_waiting", "erase_governance_message", "erase_home", "erase_voice",
    "erase_act_subject", "erase_campaigns", "erase_consent", "erase_consent_by", "erase_sign_links", "erase_sign_statements",
    "erase_account_answers", "erase_unconfirmed", "erase_sign_sessions",
    "erase_person",
)  # fmt: skip


def standing(session: Session, subject: Person) -> rules.SubjectRecord:
    """The reasons against erasing them."""
    who = _who(subject)
    evidence = session.row("decided_until", **who)
    return rules.SubjectRecord(
        session.row("ref", **who) is not None,
        tuple(row["id"] for row in session.rows("holds_on", subject=str(subject))),
        tuple(case_id for case_id in _cases(session, subject) if session.row("case_is_open", id=case_id) is not None),
        None if evidence is None else moment_or_none(evidence["until_ms"]),
    )


def erase(tx: Tx, act_id: str, subject: Person, policy: Policy, retention: timedelta) -> None:
    """Raises NotDone where it is refused, NotYet while something about them is being sent or carried out."""
    session = tx.session
    no = rules.refusal(standing(session, subject), retention, tx.now)
    if no is not None:
        raise NotDone(no)
    if session.run("begin_operator_act", id=act_id, result="The disclosures are erased; our messages follow.") != 1:
        raise Stale("The act changed meanwhile; look at it again.")
    cases = _cases(session, subject)
    _nothing_under_way(tx, subject, cases)
    digests = [row["digest"] for row in session.rows("digests_about", subject=str(subject))]
    tx.log(tuple(rules.erased(subject, digests, policy)))
    for case_id in cases:
        private_text.empty(session, case_id)
        session.run("strip_unsaid", case_id=case_id)
        session.run("redraw_for_erasure", case_id=case_id, act_id=act_id, lane=int(Lane.EDIT), now=ms(tx.now))
        session.run("bump_request", id=case_id)
    session.run("redraw_acts_for_erasure", act_id=act_id, lane=int(Lane.EDIT), now=ms(tx.now), **_who(subject))
    session.run("erase_disclosures", subject=str(subject))
    session.run("erase_released_holds", subject=str(subject))
    for name in _ACCOUNT_IN:
        session.run(name, **_who(subject))
    session.run("erase_own_subject", id=act_id)
    homes.redraw(session, None, tx.now)


def report(session: Session, act_id: str) -> tuple[int, Sequence[str]]:
    """How many messages still wait to be redrawn, and which could not be: channel, time stamp, Slack's word."""
    rows = session.rows("erasure_redraws", act_id=act_id)
    failed = [f"{r['channel']} {r['key'].rpartition(':')[2]} ({r['error']})" for r in rows if r["done_ms"] is not None]
    return sum(row["done_ms"] is None for row in rows), failed


def _cases(session: Session, subject: Person) -> list[str]:
    return [row["case_id"] for row in session.rows("cases_about", **_who(subject), subject=str(subject))]


def _nothing_under_way(tx: Tx, subject: Person, cases: Sequence[str]) -> None:
    """What the messenger has in its hands, or the worker has not carried out, would bring the text back."""
    if tx.session.row("unfinished_inbox_of", user=subject.user) is not None:
        raise NotYet("Something that concerns them waits to be carried out.")
    for case_id in cases:
        if tx.session.row("being_said", case_id=case_id, now=ms(tx.now)) is not None:
            raise NotYet("Something about a case of theirs is just being said.")


def _who(person: Person) -> dict[str, str]:
    return {"team": person.team, "user": person.user}
