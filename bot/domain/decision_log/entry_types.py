"""THE TABLE of entry types: every type that a log may hold. A new one is a row here and the function that makes it (`events`).

The types and what they mean never change; `words` may. Source: decision-log.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class EntryType:
    """`words`: the entry in words, for the timeline in Slack and the auditor's page; `{who}` is the actor. `written`:
    when it is written, for the reference. `after`: the type that must precede it in its case; "": none. `early`: the words of an
    entry that came before its time, because the provider may not ask any more; "": it never does."""

    words: str
    written: str
    after: str = ""
    early: str = ""


ENTRY_TYPES: Mapping[str, EntryType] = {
    "request.filed": EntryType("{who} asked for it", "somebody of a provider asked"),
    "request.refused": EntryType("The request of {who} was refused at filing", "the worker refused it at filing"),
    "request.asked": EntryType("{who} asked a question", "an approver asked a question"),
    "request.answered": EntryType("{who} answered a question", "the requester answered it"),
    "request.recommended": EntryType("{who} gave advice", "a lead recommended or advised against"),
    "request.passed": EntryType("{who} asked someone else", "somebody asked had the next people asked"),
    "request.held": EntryType("{who} is on it", "somebody pressed On it"),
    "request.pushed": EntryType("{who} escalated it", "the requester pressed Escalate now"),
    "request.approved": EntryType("{who} approved it", "somebody said yes; one for each yes"),
    "request.denied": EntryType("{who} denied it", "somebody said no"),
    "request.withdrawn": EntryType("{who} withdrew it", "the requester or their lead took it back"),
    "request.expired": EntryType(
        "Nobody answered in time", "nobody answered in time, or the provider may not ask any more",
        early="It expired before its time: the provider may not ask any more",
    ),
    "step.fired": EntryType("The next people were asked or reminded", "a step asked, reminded or handed on"),
    "step.skipped": EntryType("A step was skipped", "a step had nobody to ask"),
    "delivery.sent": EntryType("A message was delivered", "Slack accepted a message"),
    "delivery.failed": EntryType("A message could not be delivered", "Slack did not"),
    "decision.refused": EntryType("A click of {who} did not count", "a click did not count"),
    "grant.opened": EntryType("The approval opened", "the quorum was met, or it opened at once"),
    "grant.extended": EntryType("More time was given", "more time was given"),
    "grant.finished": EntryType("{who} reported it finished", "its requester gave it back"),
    "grant.unused": EntryType("{who} reported it not used", "its requester did not use it"),
    "grant.revoked": EntryType("{who} revoked it", "somebody ended it"),
    "grant.lapsed": EntryType(
        "The time ran out; the approval ended", "its time was over, or the provider was suspended or ended",
        early="The approval ended before its time: the provider was suspended, or its contract ended",
    ),
    "evidence.added": EntryType("{who} handed in evidence", "what was owed was handed in"),
    "evidence.missing": EntryType("Evidence was not handed in in time", "it was not, in time"),
    "subject.verified": EntryType("{who} confirmed how the person was verified", "a method of checking the person concerned was attested"),
    "rotation.attested": EntryType("{who} confirmed that the credential was changed", "the shared credential was changed"),
    "executor.opened": EntryType("The system confirmed that access is open", "the system said that access is open"),
    "executor.closed": EntryType("The system confirmed that access is closed", "… that it is closed"),
    "executor.failed": EntryType("The system reported a failure", "… that it could not, or it stayed silent"),
    "operator.filed": EntryType("{who} filed an act that two people must confirm", "an act that two people must confirm was filed"),
    "operator.confirmed": EntryType("{who} confirmed the operator's act", "one of them confirmed"),
    "operator.refused": EntryType("{who} refused the operator's act", "one refused"),
    "operator.expired": EntryType("Nobody confirmed the operator's act in time", "nobody did in time"),
    "permit.issued": EntryType("A permit was issued", "a permit was given"),
    "breakglass.opened": EntryType("Opened before an approval (break-glass)", "access opened before the yes"),
    "breakglass.ratified": EntryType("{who} ratified it", "somebody accepted responsibility", after="breakglass.opened"),
    "breakglass.rejected": EntryType("{who} rejected it", "somebody did not", after="breakglass.opened"),
    "breakglass.unratified": EntryType("Nobody ratified it in time: used without approval", "nobody answered in time", after="breakglass.opened"),
    "review.due": EntryType("A review was opened", "a review was opened"),
    "review.passed": EntryType("{who} accepted it at the review", "it was accepted", after="review.due"),
    "review.flagged": EntryType("{who} flagged it at the review", "it was flagged", after="review.due"),
    "review.overdue": EntryType("The review was not done in time", "its time passed", after="review.due"),
    "drill.started": EntryType("A drill started", "a drill began"),
    "drill.reached": EntryType("{who} answered the drill", "somebody pressed I am here"),
    "drill.ended": EntryType("The drill ended", "it was over"),
    "finding.filed": EntryType("{who} reported a finding", "something was escalated, or found by a reconciliation"),
    "finding.joined": EntryType("The same was reported again", "the same was reported again"),
    "finding.acknowledged": EntryType("{who} acknowledged it", "somebody with authority took it"),
    "finding.shared": EntryType("{who} shared it with the provider's leads", "the owner showed it to the provider's lead"),
    "finding.corrected": EntryType("{who} corrected when it was noticed", "the time of noticing was corrected"),
    "finding.closed": EntryType("{who} closed it", "it was settled, with what was done"),
    "reconciliation.recorded": EntryType("{who} compared a list of accesses with the grants", "a list of accesses was compared with the open grants"),
    "extension.asked": EntryType("{who} asked for more time", "more time was asked for"),
    "extension.denied": EntryType("{who} denied more time", "it was denied", after="extension.asked"),
    "extension.expired": EntryType("Nobody answered the request for more time", "nobody answered", after="extension.asked"),
    "renewal.asked": EntryType("{who} asked for a renewal", "an exception was to go on"),
    "renewal.denied": EntryType("{who} denied the renewal", "it was denied", after="renewal.asked"),
    "renewal.expired": EntryType("Nobody answered the request for a renewal", "nobody answered", after="renewal.asked"),
    "exception.opened": EntryType("The exception opened", "an exception from policy began"),
    "exception.renewed": EntryType("The exception was renewed", "it got a later day"),
    "exception.passed": EntryType("The exception passed to the owner, because its contract ended", "its contract ended, and the owner took it over"),
    "exception.overdue": EntryType("The exception was not closed or filed again in time", "who took it over did not close or re-file it", after="exception.passed"),
    "exception.ended": EntryType("The exception ended", "it was over"),
    "right.begun": EntryType("The right is under review", "a right without prior consent is under review"),
    "right.kept": EntryType("{who} kept the right", "it was kept", after="review.due"),
    "right.narrowed": EntryType("The right was narrowed", "it was narrowed"),
    "right.withdrawn": EntryType("{who} withdrew the right", "it was withdrawn", after="review.due"),
    "right.ended": EntryType("The policy no longer gives the right", "the policy gives it no more"),
    "provider.suspended": EntryType("The provider was suspended", "everything of a provider stopped"),
    "provider.resumed": EntryType("{who} lifted the provider's suspension", "an owner lifted it", after="provider.suspended"),
    "provider.ended": EntryType("The provider's contract ended", "its contract ended, or was ended"),
    "campaign.opened": EntryType("A review of rights opened", "an owner's review of rights began"),
    "campaign.closed": EntryType("The review of rights closed", "it ended, with its result"),
    "authority.suspended": EntryType("The authority was suspended after a reset", "somebody's credential was reset"),
    "authority.spared": EntryType("The authority was kept: nobody else could decide", "the last who can decide kept their authority"),
    "authority.overdue": EntryType("Nobody restored the authority in time", "nobody restored it", after="authority.suspended"),
    "authority.restored": EntryType("{who} restored the authority", "another person did", after="authority.suspended"),
    "roster.attested": EntryType("{who} confirmed who may ask", "a lead confirmed who may ask"),
    "sealed_use.recorded": EntryType("{who} recorded a use of the sealed path, without approval", "the organisation's own sealed path was used"),
    "absence.set": EntryType("{who} is away", "somebody is away"),
    "absence.cleared": EntryType("{who} is back", "they are back"),
    "policy.loaded": EntryType("A policy was loaded", "a policy set was taken up"),
    "policy.rejected": EntryType("A faulty policy was rejected", "a faulty one was not"),
    "policy.endorsed": EntryType("A change of the signing keys was endorsed", "an owner signed for a change of the passkeys"),
    "domain.handed_over": EntryType("The domain changed hands", "a domain changed hands on its day"),
    "domain.vacant": EntryType("Nobody owns the domain any more", "nobody owns it"),
    "matrix.confirmed": EntryType("{who} confirmed rows of the responsibility matrix", "an owner agreed to rows"),
    "matrix.acknowledged": EntryType("{who} acknowledged rows of the responsibility matrix", "a lead did"),
    "matrix.disputed": EntryType("{who} disputed rows of the responsibility matrix", "somebody disputed one"),
    "matrix.overdue": EntryType("Rows of the responsibility matrix were not confirmed in time", "nobody answered in time"),
    "privacy.erased": EntryType("What the log disclosed about somebody was erased", "what the log disclosed about somebody was erased"),
    "hold.placed": EntryType("{who} placed a hold: this may not be erased", "something may not be erased"),
    "hold.released": EntryType("{who} released the hold", "it may again"),
    "replica.excused": EntryType("{who} let the leader go on without a replica", "an operator let the leader give again without a replica that did not report"),
    "log.opened": EntryType("The log was opened", "the log began"),
    "log.verified": EntryType("{who} verified the log", "it was checked whole"),
    "log.exported": EntryType("{who} exported the log", "evidence was written"),
    "log.pruned": EntryType("Old entries were emptied", "old entries lost their bytes"),
    "log.epoch_started": EntryType("The log continued under a new name", "a stopped log went on under a new name"),
    "log.key_rotated": EntryType("The log's key was changed", "it signs with another key"),
    "clock.anomaly": EntryType("The machine's clock jumped", "the clock jumped, or somebody accepted it"),
}  # fmt: skip


def in_words(type_: str, who: str, entry: Mapping[str, Any]) -> str:
    """The sentence of an entry; of a type that this release does not know, the type itself. `entry`: as it was read back, empty where
    its bytes are gone."""
    known = ENTRY_TYPES.get(type_)
    if known is not None and known.early and _early(entry):
        return known.early
    return (known.words if known else f"{type_} by {{who}}").format(who=who)


def _early(entry: Mapping[str, Any]) -> bool:
    """Whether something ended by the clock before its time: an expiry names the reason, an end comes before its `not_after`."""
    data = entry.get("data")
    if not isinstance(data, dict):
        return False
    return bool(data.get("reason")) or str(entry.get("ts", "")) < str(data.get("not_after", ""))
