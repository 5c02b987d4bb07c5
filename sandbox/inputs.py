"""What people enter: the state of every input as `state.values`, and what Slack checks before it sends a form.

A value is written here as Slack writes it (`selected_option`, `selected_user`, …); `entry` makes one from plain data.
"""

import datetime
import re
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.blocks import elements_of
from sandbox.elements import choices
from sandbox.errors import GestureError
from sandbox.workspace import Json

REQUIRED = "Please complete this required field."

# How each element names its value in `state.values`, and its initial value in the block.
VALUE_KEYS: dict[str, tuple[str, str]] = {
    "plain_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "multi_static_select": ("selected_options", "initial_options"),
    "checkboxes": ("selected_options", "initial_options"),
    "users_select": ("selected_user", "initial_user"),
    "multi_users_select": ("selected_users", "initial_users"),
    "channels_select": ("selected_channel", "initial_channel"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
}
_LISTS = {"selected_options", "selected_users"}


def initial_values(blocks: list[Json]) -> Json:
    """`state.values` of a surface that nobody has touched."""
    values: Json = {}
    for block in blocks:
        for element in elements_of(block):
            if element.get("type") in VALUE_KEYS:
                key, initial = VALUE_KEYS[element["type"]]
                start = element.get(initial, [] if key in _LISTS else None)
                values.setdefault(block["block_id"], {})[element["action_id"]] = {"type": element["type"], key: start}
    return values


def kept_values(old: Json, blocks: list[Json]) -> Json:
    """The state after an update: entered values stay under an unchanged block_id, action_id and type."""
    values = initial_values(blocks)
    for block in blocks:
        for element in elements_of(block):
            kept = old.get(block["block_id"], {}).get(element.get("action_id"))
            if kept and kept["type"] == element["type"] and _still_offered(element, kept):
                values[block["block_id"]][element["action_id"]] = kept
    return values


def _still_offered(element: Json, value: Json) -> bool:
    """Whether a kept choice is still among the choices."""
    chosen = list(value.get("selected_options") or [])
    chosen += [value["selected_option"]] if value.get("selected_option") else []
    offered = [o["value"] for o in choices(element)]
    return all(o["value"] in offered for o in chosen)


def entry(element: Json, given: Any, tz: str = "UTC") -> Json:
    """One value of `state.values` from plain data: a text, an option's text or value, a user id, a date, a list.

    Raises `GestureError` for a choice that is not offered.
    """
    kind = element["type"]
    key, _ = VALUE_KEYS[kind]
    if key == "selected_option":
        shown: Any = _choice(element, given) if given not in (None, "") else None
    elif key == "selected_options":
        shown = [_choice(element, one) for one in given or []]
    elif key == "selected_users":
        shown = list(given or [])
    elif key == "selected_date_time":
        shown = _moment(given, tz)
    else:
        shown = None if given in (None, "") else str(given)
    return {"type": kind, key: shown}


def _moment(given: Any, tz: str) -> int | None:
    """Unix seconds from seconds, or from an ISO date and time (local to the person unless it names a zone)."""
    if given in (None, ""):
        return None
    if isinstance(given, int | float) or str(given).isdigit():
        return int(given)
    moment = given if isinstance(given, datetime.datetime) else datetime.datetime.fromisoformat(str(given))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(tz))
    return int(moment.timestamp())


def _choice(element: Json, given: Any) -> Json:
    """The offered option with this value or this text."""
    if isinstance(given, dict):
        given = given.get("value")
    for option in choices(element):
        if str(given) in (option["value"], option["text"]["text"]):
            found: Json = option
            return found
    offered = ", ".join(o["text"]["text"] for o in choices(element))
    raise GestureError(f"no option {given!r}; offered are: {offered}")


def plain_value(value: Json) -> Any:
    """What an input holds, without its wrapping: text, option value(s), id(s), date."""
    key, _ = VALUE_KEYS[value["type"]]
    held = value.get(key)
    if key == "selected_option":
        return held["value"] if held else None
    return [o["value"] for o in held or []] if key == "selected_options" else held


def faults_of_form(blocks: list[Json], values: Json) -> dict[str, str]:
    """What Slack refuses before it sends the form, by block_id; empty if it may be sent."""
    wrong: dict[str, str] = {}
    for block in blocks:
        if block["type"] != "input":
            continue
        element = block["element"]
        held = plain_value(values[block["block_id"]][element["action_id"]])
        if held in (None, "", []):
            if not block.get("optional", False):
                wrong[block["block_id"]] = REQUIRED
        elif fault := _fault(element, held):
            wrong[block["block_id"]] = fault
    return wrong


def _fault(element: Json, held: Any) -> str:
    """What is wrong with a filled input; empty if nothing."""
    checks = {
        "plain_text_input": _length_fault,
        "number_input": _number_fault,
        "email_text_input": _email_fault,
        "url_text_input": _url_fault,
    }
    check = checks.get(element["type"])
    if check is not None:
        return check(element, held)
    most = element.get("max_selected_items")
    return f"Please select no more than {most} items." if most and len(held) > most else ""


def _length_fault(element: Json, held: str) -> str:
    """Too short or too long."""
    low, high = element.get("min_length", 0), element.get("max_length", 3000)
    if len(held) < low:
        return f"Please enter at least {low} characters."
    return f"Please enter no more than {high} characters." if len(held) > high else ""


def _number_fault(element: Json, held: str) -> str:
    """Not a number, a fraction where none may be, or outside the bounds."""
    if not re.fullmatch(r"-?\d+(\.\d+)?", held):
        return "Please enter a valid number."
    if "." in held and not element["is_decimal_allowed"]:
        return "Please enter a whole number."
    low, high = element.get("min_value"), element.get("max_value")
    if low is not None and float(held) < float(low):
        return f"Please enter a number that is {low} or more."
    return f"Please enter a number that is {high} or less." if high is not None and float(held) > float(high) else ""


def _email_fault(_element: Json, held: str) -> str:
    """Not the shape of an e-mail address."""
    return "" if re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", held) else "Please enter a valid email address."


def _url_fault(_element: Json, held: str) -> str:
    """Not the shape of a link."""
    return "" if re.fullmatch(r"https?://[^\s/]+\S*", held) else "Please enter a valid URL."
