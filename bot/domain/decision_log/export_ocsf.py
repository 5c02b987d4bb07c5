"""An entry of the log as one OCSF 1.5.0 event, for the monitoring that reads those.

Filed and decided is Entity Management 3004; grant, permit, break-glass and exception are User Access Management 3005;
policy is API Activity 6003; review and finding are Compliance Finding 2003; everything else, and whatever type comes later, is
Application Lifecycle 6002. `metadata.uid` is the index, `metadata.correlation_uid` the case, and `raw_data` the entry's
exact bytes: SHA-256(0x00 ‖ raw_data) is its leaf in the tree.
Source: decision-log.md; https://schema.ocsf.io/1.5.0.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.domain.decision_log.entry_reader import read_stamp

VERSION = "1.5.0"
_PRODUCT = {"name": "Countersign", "vendor_name": "Countersign"}
_SEVERITY = {
    "breakglass.opened": 4,
    "breakglass.unratified": 4,
    "authority.suspended": 3,
    "provider.suspended": 3,
    "provider.ended": 3,
    "authority.overdue": 3,
    "right.withdrawn": 3,
    "review.overdue": 3,
    "review.flagged": 3,
    "finding.filed": 4,
}
_CONTROL = "security_control"


@dataclass(frozen=True, slots=True)
class _Class:
    uid: int
    name: str
    category: int
    category_name: str


_ENTITY = _Class(3004, "Entity Management", 3, "Identity & Access Management")
_ACCESS = _Class(3005, "User Access Management", 3, "Identity & Access Management")
_API = _Class(6003, "API Activity", 6, "Application Activity")
_REVIEW = _Class(2003, "Compliance Finding", 2, "Findings")
_REST = _Class(6002, "Application Lifecycle", 6, "Application Activity")
_DECIDED = {
    "request.filed": (1, "Create", 99, "Filed"),
    "request.refused": (3, "Update", 25, "Rejected"),
    "request.approved": (3, "Update", 8, "Approved"),
    "request.denied": (3, "Update", 25, "Rejected"),
    "request.withdrawn": (3, "Update", 99, "Withdrawn"),
    "request.expired": (3, "Update", 99, "Expired"),
}
_ENDINGS = frozenset({"finished", "unused", "revoked", "lapsed", "ended", "rejected", "unratified"})
_REVIEWS = {"due": (1, "Create"), "passed": (3, "Close"), "filed": (1, "Create"), "closed": (3, "Close")}
_TITLES = {"review": "Post-use review", "finding": "Finding"}


@dataclass(slots=True)
class Ocsf:
    """Maps a log's entries in order. Remembers whose request each case is, a pseudonym a case."""

    _requesters: dict[str, str] = field(default_factory=dict)

    def line(self, entry: Mapping[str, object], data: bytes) -> str:
        """The event of an entry as one line of JSON without its end. `data` are the entry's exact bytes."""
        kind, case = str(entry.get("type")), entry.get("case")
        if kind == "request.filed" and isinstance(case, str):
            self._requesters[case] = _ref(entry)
        group, _, name = kind.partition(".")
        if kind in _DECIDED:
            event = _decided(entry, kind)
        elif kind in ("exception.passed", "exception.overdue"):
            event = _head(_REST, 99, kind) | {"app": _PRODUCT}
        elif group in ("grant", "permit", "breakglass", "exception"):
            event = self._access(entry, name)
        elif group == "policy":
            event = _policy(entry, kind)
        elif group in ("review", "finding"):
            event = _review(entry, group, name)
        else:
            event = _head(_REST, 99, kind) | {"app": _PRODUCT}
        return json.dumps(event | _common(entry, kind, data, event), ensure_ascii=False, separators=(",", ":"))

    def _access(self, entry: Mapping[str, object], name: str) -> dict[str, object]:
        ends = name in _ENDINGS
        head = _head(_ACCESS, 2 if ends else 1, "Revoke Privileges" if ends else "Assign Privileges")
        whose = self._requesters.get(str(entry.get("case")), _ref(entry))
        return head | {"user": {"uid": whose}, "privileges": [_runbook(entry)], "actor": _actor(entry)}


def _decided(entry: Mapping[str, object], kind: str) -> dict[str, object]:
    activity, name, disposition, called = _DECIDED[kind]
    granted = {8: 1, 25: 2}.get(disposition, 99)
    entity = {"uid": str(entry.get("case")), "name": _runbook(entry), "type": "Access request"}
    action = {1: "Allowed", 2: "Denied", 99: called}[granted]
    return _head(_ENTITY, activity, name) | {
        "entity": entity, "actor": _actor(entry), "disposition_id": disposition, "disposition": called,
        "action_id": granted, "action": action,
    }  # fmt: skip


def _policy(entry: Mapping[str, object], kind: str) -> dict[str, object]:
    head = _head(_API, 3, "Update") if kind == "policy.loaded" else _head(_API, 99, kind)
    return head | {"actor": _actor(entry), "api": {"operation": kind}, "src_endpoint": {"name": str(entry.get("log"))}}


def _review(entry: Mapping[str, object], group: str, name: str) -> dict[str, object]:
    activity, called = _REVIEWS.get(name, (2, "Update"))
    about = {"uid": str(entry.get("case") or entry.get("i")), "title": _TITLES[group]}
    return _head(_REVIEW, activity, called) | {"finding_info": about, "compliance": {"control": _runbook(entry)}}


def _head(of: _Class, activity: int, name: str) -> dict[str, object]:
    return {
        "class_uid": of.uid, "class_name": of.name, "category_uid": of.category, "category_name": of.category_name,
        "activity_id": activity, "activity_name": name, "type_uid": of.uid * 100 + activity,
        "type_name": f"{of.name}: {'Other' if activity == 99 else name}",
    }  # fmt: skip


def _common(entry: Mapping[str, object], kind: str, data: bytes, event: Mapping[str, object]) -> dict[str, object]:
    index = entry.get("i")
    metadata: dict[str, object] = {
        "version": VERSION, "product": _PRODUCT, "uid": str(index), "log_name": str(entry.get("log")), "event_code": kind,
    }  # fmt: skip
    if isinstance(index, int):
        metadata["sequence"] = index
    if isinstance(entry.get("case"), str):
        metadata["correlation_uid"] = entry["case"]
    if "disposition_id" in event:
        metadata["profiles"] = [_CONTROL]
    severity = _SEVERITY.get(kind, 1)
    return {
        "time": read_stamp(entry.get("ts")) or 0, "severity_id": severity,
        "severity": {1: "Informational", 3: "Medium", 4: "High"}[severity], "message": kind, "metadata": metadata,
        "raw_data": data.decode(), "raw_data_size": len(data),
    }  # fmt: skip


def _actor(entry: Mapping[str, object]) -> dict[str, object]:
    """A person by pseudonym and party; the clock, the system and the operator as the program that acted."""
    actor = entry.get("actor")
    if isinstance(actor, dict) and actor.get("kind") == "person":
        return {"user": {"uid": str(actor.get("ref")), "org": {"uid": str(actor.get("party"))}}}
    return {"app_name": "Countersign", "invoked_by": _ref(entry)}


def _ref(entry: Mapping[str, object]) -> str:
    actor = entry.get("actor")
    return str(actor.get("ref") or actor.get("kind")) if isinstance(actor, dict) else "unknown"


def _runbook(entry: Mapping[str, object]) -> str:
    runbook = entry.get("runbook")
    return str(runbook.get("id")) if isinstance(runbook, dict) else "none"
