"""Judges of what goes to Slack and comes from it, by descriptions that nobody here wrote.

Slack's TypeScript types, as JSON Schemas (tests/slack/schemas, made by `make slack-schemas`), know every method, block and
payload; slack_sdk's models know lengths. What both miss is here: ids twice, an input without a submit, the total size.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

SCHEMAS = Path(__file__).with_name("schemas")
TOTAL, TEXT = 13_000, 3_900  # characters of a message's blocks, and of its text (slack.md)
_EVENTS = {"message": "message_event", "app_home_opened": "home_event"}
_VIEWS = {"modal": "modal", "home": "home"}
_NUMBERS = frozenset({"limit"})
_NEWER = frozenset({"markdown", "table", "alert", "context_actions"})  # what slack_sdk has no model with limits for


@cache
def _schema(file: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads((SCHEMAS / f"{file}.json").read_text())
    return found


@cache
def _judge(file: str, name: str) -> Draft7Validator:
    return Draft7Validator({**_schema(file), "$ref": f"#/definitions/{name}"})


def knows(method: str) -> bool:
    """Whether Slack's types describe this method for us."""
    return method.replace(".", "_") in _schema("calls")["definitions"]


def call(method: str, args: Mapping[str, Any]) -> list[str]:
    """What is wrong with one call of ours. Arguments in a query are text; numbers and truths are read back from it."""
    plain = {k: _read(k, v) for k, v in args.items() if k != "token"}
    found = [f"{method}: {text}" for text in _wrong("calls", method.replace(".", "_"), plain)]
    if isinstance(plain.get("blocks"), list):
        found += message(plain["blocks"], str(plain.get("text", "")))
    if isinstance(plain.get("view"), dict):
        found += view(plain["view"])
    return found


def message(blocks: list[Any], text: str) -> list[str]:
    """What is wrong with a message."""
    found = [f"block {n}: {said}" for n, block in enumerate(blocks) for said in _wrong("calls", "block", block)]
    found += _models(blocks)
    found += _twice(blocks)
    if not text.strip() or len(text) > TEXT:
        found.append(f"text has {len(text)} characters")
    if (size := sum(map(len, _texts(blocks)))) > TOTAL:
        found.append(f"the blocks' texts have {size} characters")
    return found


def view(shown: Mapping[str, Any]) -> list[str]:
    """What is wrong with a view."""
    found = _wrong("calls", _VIEWS.get(str(shown.get("type")), "modal"), shown)
    blocks = shown.get("blocks", [])
    found += [f"block {n}: {said}" for n, block in enumerate(blocks) for said in _wrong("calls", "block", block)]
    found += [*_models(blocks), *_twice(blocks)]
    if any(block.get("type") == "input" for block in blocks) and "submit" not in shown and shown.get("type") == "modal":
        found.append("an input without a submit")
    try:
        View(**shown).validate_json()
    except Exception as error:  # noqa: BLE001  whatever the foreign model objects to
        found.append(f"slack_sdk: {error}")
    return found


def answer(response: Any) -> list[str]:
    """What is wrong with the answer to a form that was sent."""
    if not isinstance(response, Mapping) or "response_action" not in response:
        return []
    return view(response["view"]) if "view" in response else []


def payload(kind: str, sent: Mapping[str, Any]) -> list[str]:
    """What is wrong with a payload of the sandbox."""
    name = _payload_name(kind, sent)
    if name is None:
        return []
    told = {key: value for key, value in sent.items() if (key, value) != ("enterprise", None)}  # Slack's reference has null
    if "view" in sent:
        told.setdefault("response_url", "")  # the types want one; Slack sends none from a view
    return [f"{name}: {text}" for text in _wrong("payloads", name, told)]


def _payload_name(kind: str, sent: Mapping[str, Any]) -> str | None:
    if kind.startswith("/") or "command" in sent:
        return "slash_command"
    if kind == "block_actions":
        pressed = sent["actions"][0].get("type")
        return {"button": "button_pressed", "static_select": "option_chosen"}.get(pressed)
    if kind == "event_callback":
        return _EVENTS.get(str(sent["event"].get("type")))
    return kind if kind in _schema("payloads")["definitions"] else None


def _wrong(file: str, name: str, value: Any) -> list[str]:
    judge = _judge(file, name)
    if judge.is_valid(value):
        return []
    error = min(judge.iter_errors(value), key=lambda e: len(e.absolute_path))
    inner = sorted(error.context or [], key=lambda e: -len(e.absolute_path))[:2]
    said = "; ".join(f"{list(e.absolute_path)} {e.message[:200]}" for e in (inner or [error]))
    return [said]


def _models(blocks: Iterable[Mapping[str, Any]]) -> list[str]:
    """slack_sdk's models: lengths, and that reading and writing a block loses nothing."""
    found = []
    for block in blocks:
        if block.get("type") in _NEWER:
            continue
        try:
            parsed = Block.parse(dict(block))
            assert parsed is not None, f"slack_sdk does not know {block.get('type')}"
            parsed.validate_json()
            _same(json.loads(json.dumps(parsed.to_dict())), block)
        except Exception as error:  # noqa: BLE001  whatever the foreign model objects to
            found.append(f"slack_sdk: {error}")
    return found


def _same(read_back: Any, block: Any) -> None:
    assert read_back == block, f"slack_sdk reads {json.dumps(block)[:300]} as {json.dumps(read_back)[:300]}"


def _twice(blocks: Iterable[Mapping[str, Any]]) -> list[str]:
    blocks = list(blocks)
    ids = Counter(block["block_id"] for block in blocks if "block_id" in block)
    found = [f"block_id {one} twice" for one, times in ids.items() if times > 1]
    for block in blocks:
        inside = Counter(e["action_id"] for e in block.get("elements", ()) if "action_id" in e)
        found += [f"action_id {one} twice in a block" for one, times in inside.items() if times > 1]
    return found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "text" and isinstance(inner, str):
                yield inner
            else:
                yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


def _read(key: str, value: Any) -> Any:
    if key in _NUMBERS and isinstance(value, str) and value.isdigit():
        return int(value)
    words = {"true": True, "false": False, "True": True, "False": False, "1": True, "0": False}
    return words.get(value, value) if isinstance(value, str) else value
