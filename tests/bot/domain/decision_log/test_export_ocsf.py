"""Entries as OCSF events: the mapping, its shape, and the bytes that lead back into the tree."""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from bot.domain.decision_log.entry import canonical
from bot.domain.decision_log.export_ocsf import Ocsf
from bot.domain.decision_log.merkle_tree import leaf_hash
from bot.domain.decision_log.verify.case_order import TYPES

PERSON = {"kind": "person", "ref": "sub_a", "party": "northgate"}


def entry(kind: str, **how: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "v": "1", "log": "x.example/log", "i": 3, "ts": "2026-03-04T09:00:00.125Z", "type": kind, "actor": PERSON,
        "case": "R-1", "runbook": {"id": "admin", "sha256": "ab"},
    } | how  # fmt: skip
    return told


def event(told: dict[str, Any], ocsf: Ocsf | None = None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ocsf or Ocsf()).line(told, canonical(told)))
    return found


@pytest.mark.parametrize(
    ("kind", "uid", "activity", "disposition"),
    [
        ("request.filed", 3004, 1, (99, "Filed")),
        ("request.approved", 3004, 3, (8, "Approved")),
        ("request.denied", 3004, 3, (25, "Rejected")),
        ("request.refused", 3004, 3, (25, "Rejected")),
        ("request.withdrawn", 3004, 3, (99, "Withdrawn")),
        ("request.expired", 3004, 3, (99, "Expired")),
        ("grant.opened", 3005, 1, None),
        ("grant.revoked", 3005, 2, None),
        ("grant.lapsed", 3005, 2, None),
        ("permit.issued", 3005, 1, None),
        ("breakglass.opened", 3005, 1, None),
        ("exception.ended", 3005, 2, None),
        ("policy.loaded", 6003, 3, None),
        ("review.due", 2003, 1, None),
        ("review.overdue", 2003, 2, None),
        ("review.passed", 2003, 3, None),
        ("decision.refused", 6002, 99, None),
        ("step.fired", 6002, 99, None),
        ("a.type.of.tomorrow", 6002, 99, None),
    ],
)
def test_an_entry_has_this_class_and_activity(
    kind: str, uid: int, activity: int, disposition: tuple[int, str] | None
) -> None:
    found = event(entry(kind))
    assert (found["class_uid"], found["activity_id"], found["type_uid"]) == (uid, activity, uid * 100 + activity)
    told = (found["disposition_id"], found["disposition"]) if "disposition_id" in found else None
    assert told == disposition


def test_index_case_time_and_bytes_are_where_monitoring_looks() -> None:
    told = entry("request.filed", data={"kind": "reset", "note": "☃ \u2028"})
    found = event(told)
    assert (found["metadata"]["uid"], found["metadata"]["correlation_uid"]) == ("3", "R-1")
    assert (found["metadata"]["version"], found["time"]) == ("1.5.0", 1772614800125)
    assert leaf_hash(found["raw_data"].encode()) == leaf_hash(canonical(told))
    assert found["raw_data_size"] == len(canonical(told))


def test_a_line_has_no_end_inside() -> None:
    assert "\n" not in Ocsf().line(entry("request.asked", data={"a": "x\ny"}), canonical(entry("x", data={"a": "x\ny"})))


def test_access_is_that_of_the_requester_not_of_the_approver() -> None:
    ocsf = Ocsf()
    event(entry("request.filed", actor=PERSON | {"ref": "sub_asker"}), ocsf)
    found = event(entry("grant.opened", actor=PERSON | {"ref": "sub_owner"}), ocsf)
    assert (found["user"]["uid"], found["actor"]["user"]["uid"]) == ("sub_asker", "sub_owner")


@functools.cache
def schemas() -> OcsfJsonSchemaEmbedded:
    return OcsfJsonSchemaEmbedded(get_ocsf_schema(version="1.5.0"))


@functools.cache
def foreign(class_uid: int, *profiles: str) -> Draft202012Validator:
    """A foreign judge of the events of a class."""
    name = schemas().lookup_class_name_from_uid(class_uid=class_uid)
    return Draft202012Validator(schemas().get_class_schema(class_name=name, profiles=[*profiles]))


@pytest.mark.parametrize("kind", sorted(TYPES))
@pytest.mark.parametrize("actor", [PERSON, {"kind": "clock"}], ids=["person", "clock"])
def test_a_foreign_validator_accepts_every_type(kind: str, actor: dict[str, str]) -> None:
    for told in (
        entry(kind, actor=actor),
        {k: v for k, v in entry(kind, actor=actor).items() if k not in ("case", "runbook")},
    ):
        found = event(told)
        judge = foreign(found["class_uid"], *found["metadata"].get("profiles", []))
        assert [error.message for error in judge.iter_errors(found)] == []


REQUIRED = {
    3004: {"entity", "disposition_id", "action_id"}, 3005: {"user", "privileges"}, 6003: {"actor", "api", "src_endpoint"},
    2003: {"finding_info", "compliance"}, 6002: {"app"},
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_every_type_has_what_its_class_demands(kind: str) -> None:
    found = event(entry(kind, actor={"kind": "system"}))
    always = {"class_uid", "category_uid", "activity_id", "type_uid", "severity_id", "time", "metadata", "raw_data"}
    assert always | REQUIRED[found["class_uid"]] <= set(found)
    assert {"version", "product", "uid"} <= set(found["metadata"])
