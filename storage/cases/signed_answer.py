"""What an assertion came to, in the transaction that carries it out."""

from __future__ import annotations

from bot.domain.case.transition import SignedAnswer
from bot.domain.errors import Stale
from storage.transactions import Tx
from storage.values import ms, to_json


def write(tx: Tx, signed: SignedAnswer) -> None:
    """Uses the statement up and keeps the answer. Raises Stale where another used the statement up."""
    if signed.nonce and tx.session.run("use_sign_statement", nonce=signed.nonce, key=signed.key) != 1:
        raise Stale("This statement was used meanwhile.")
    tx.session.run("put_sign_answer", key=signed.key, answer=to_json(dict(signed.answer)), now=ms(tx.now))
    if signed.credential:
        tx.session.run("put_sign_count", credential=signed.credential, count=signed.count)
    if signed.unconfirmed is not None:
        case_id, version, person = signed.unconfirmed
        who = {"team": person.team, "user": person.user}
        tx.session.run("put_unconfirmed", case_id=case_id, version=version, **who, now=ms(tx.now))
