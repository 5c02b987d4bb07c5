"""Values of the domain as the plain JSON of `emergency.jsonl`, and back.

A dataclass or enumeration is an object with its tag under `~`; a dataclass lists the fields that differ from their defaults.
A time has the tag `at`. Lists come back as tuples. Only classes of `_TAGS` are read: a line of a file can make nothing else.

A tag is part of the file format: existing files contain it, so it stays when a class is renamed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from bot.domain.case import ask, campaign, click, lifecycle, model, operator_action, transition
from bot.domain.errors import EntryError
from bot.domain.policy import people

_TAG = "~"
_TAGS: Mapping[str, type[Any]] = {
    "Absence": transition.Absence,
    "ActState": operator_action.OperatorActionState,
    "Actor": transition.Actor,
    "Ask": ask.Ask,
    "AskState": lifecycle.AskState,
    "Brake": ask.Brake,
    "Call": model.Call,
    "Asked": campaign.Asked,
    "Campaign": campaign.Campaign,
    "CampaignChange": campaign.CampaignChange,
    "Case": model.Case,
    "Consent": campaign.Consent,
    "Figures": campaign.Figures,
    "Finding": model.Finding,
    "FindingState": lifecycle.FindingState,
    "Item": campaign.Item,
    "Disclosed": transition.Disclosed,
    "Draft": transition.LogEvent,
    "Drill": model.Drill,
    "Duty": model.Duty,
    "FieldValue": model.FieldValue,
    "Grant": model.Grant,
    "GrantState": lifecycle.GrantState,
    "Hold": operator_action.Hold,
    "Humans": people.Humans,
    "Lane": transition.Lane,
    "Named": transition.FileDigest,
    "Note": ask.Remark,
    "Operated": operator_action.OperatorChange,
    "OperatorAct": operator_action.OperatorAction,
    "Person": people.Person,
    "Private": transition.Private,
    "Profile": people.Profile,
    "Reached": ask.Reached,
    "Ref": people.Ref,
    "Refusal": click.Refusal,
    "Request": model.Request,
    "RequestState": lifecycle.RequestState,
    "Say": transition.Notification,
    "Step": ask.Step,
    "Terms": model.Terms,
    "Transition": transition.Transition,
    "Visit": transition.Visit,
    "Voice": operator_action.Confirmation,
    "Vote": ask.Vote,
    "Waking": transition.Waking,
}
_TAG_OF = {known: tag for tag, known in _TAGS.items()}


def to_plain(value: object) -> object:
    """JSON for a value of the domain. Raises EntryError for one that has none."""
    if isinstance(value, Enum):
        return {_TAG: _tag(value), "v": value.value}
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, datetime):
        return {_TAG: "at", "v": value.isoformat()}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if is_dataclass(value) and type(value) in _TAG_OF:
        told = ((field, getattr(value, field.name)) for field in fields(value))
        shown = {field.name: to_plain(part) for field, part in told if part != _default(field)}
        return {_TAG: _tag(value), **shown}
    raise EntryError(f"The emergency file holds no {type(value).__name__}.")


def from_plain(value: object) -> Any:
    """The value again. Raises EntryError for what no program of ours wrote."""
    if isinstance(value, list):
        return tuple(from_plain(item) for item in value)
    if not isinstance(value, dict):
        return value
    kind = value.get(_TAG)
    told = {key: from_plain(item) for key, item in value.items() if key != _TAG}
    if kind is None:
        return told
    try:
        if kind == "at":
            return datetime.fromisoformat(told["v"])
        known = _TAGS[kind]
        return known(told["v"]) if issubclass(known, Enum) else known(**told)
    except (KeyError, TypeError, ValueError) as error:
        raise EntryError(f"The emergency file holds something unknown ({kind}): {error}.") from None


def _tag(value: object) -> str:
    try:
        return _TAG_OF[type(value)]
    except KeyError:
        raise EntryError(f"The emergency file holds no {type(value).__name__}.") from None


def _default(field: Field[Any]) -> object:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return field.default
