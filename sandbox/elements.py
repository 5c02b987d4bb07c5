"""Block elements and composition objects, with Slack's limits: what a button, a select, an input may hold.

Limits as in Slack's reference of block elements and composition objects.
"""

from typing import Any

from sandbox.rules import Report, Rule, anything, boolean, integer, listed, one_of, plain, record, string, text, typed

ACTION_ID = string(255)
DATE = string(10, 10, r"\d{4}-\d{2}-\d{2}")
TIME = string(5, 5, r"\d{2}:\d{2}")
USER = string(30, 3, r"[UW][A-Z0-9]+")
CHANNEL = string(30, 3, r"[CDG][A-Z0-9]+")

confirm = record(
    {"title": text(100, plain), "text": text(300), "confirm": text(30, plain), "deny": text(30, plain)},
    {"style": one_of("primary", "danger")},
)


def option(text_rule: Rule) -> Rule:
    """One choice of a select, a radio group, checkboxes or an overflow menu."""
    return record(
        {"text": text_rule, "value": string(150)},
        {"description": text(75), "url": string(3000)},
    )


plain_option = option(text(75, plain))
rich_option = option(text(75))
option_group = record({"label": text(75, plain), "options": listed(plain_option, 100)}, {})


def choices(element: dict[str, Any]) -> list[dict[str, Any]]:
    """Every option of an element, groups flattened."""
    groups = element.get("option_groups") or []
    return [*(element.get("options") or []), *(o for g in groups for o in g.get("options", []))]


def initial_among_options(element: dict[str, Any], path: str, report: Report) -> None:
    """What is preselected must be one of the choices, and a select needs exactly one source of choices."""
    if bool(element.get("options")) == bool(element.get("option_groups")):
        report.bad(path, "must define either options or option_groups")
    values = [o["value"] for o in choices(element)]
    if len(set(values)) != len(values):
        report.bad(f"{path}/options", "option values must be unique")
    chosen = [element["initial_option"]] if "initial_option" in element else element.get("initial_options", [])
    key = "initial_option" if "initial_option" in element else "initial_options"
    for entry in chosen:
        if entry not in choices(element):
            report.bad(f"{path}/{key}", "must be one of the provided options")


def text_within_bounds(element: dict[str, Any], path: str, report: Report) -> None:
    """The initial text obeys the lengths that the input itself demands."""
    low, high = element.get("min_length", 0), element.get("max_length", 3000)
    if low > high:
        report.bad(f"{path}/min_length", "must be less than max_length")
    initial = element.get("initial_value", "")
    if len(initial) > high:
        report.bad(f"{path}/initial_value", f"must be less than {high + 1} characters")
    if initial and len(initial) < low:
        report.bad(f"{path}/initial_value", f"must be more than {low - 1} characters")


def _element(kind: str, required: dict[str, Rule], optional: dict[str, Rule], also: Rule = anything) -> Rule:
    """An element of this type, with an action_id."""
    return record({"type": one_of(kind), **required}, {"action_id": ACTION_ID, **optional}, also)


_PLACEHOLDER: dict[str, Rule] = {"placeholder": text(150, plain), "focus_on_load": boolean}
_CONFIRM: dict[str, Rule] = {"confirm": confirm}
_DISPATCH: dict[str, Rule] = {
    "dispatch_action_config": record(
        {}, {"trigger_actions_on": listed(one_of("on_enter_pressed", "on_character_entered"), 2)}
    ),
}
_MENU = {**_PLACEHOLDER, **_CONFIRM}
_NUMBER = string(40, 1, r"-?\d+(\.\d+)?")
_GROUPS: dict[str, Rule] = {"options": listed(plain_option, 100), "option_groups": listed(option_group, 100)}
_FEEDBACK = record({"text": text(75, plain), "value": string(2000)}, {"accessibility_label": string(75)})

ELEMENTS: dict[str, Rule] = {
    "button": _element("button", {"text": text(75, plain)}, {
        "url": string(3000), "value": string(2000), "style": one_of("primary", "danger"),
        "accessibility_label": string(75), **_CONFIRM}),
    "static_select": _element("static_select", {}, {
        **_GROUPS, "initial_option": plain_option, **_MENU}, initial_among_options),
    "multi_static_select": _element("multi_static_select", {}, {
        **_GROUPS, "initial_options": listed(plain_option, 100), "max_selected_items": integer(1, 100), **_MENU},
        initial_among_options),
    "users_select": _element("users_select", {}, {"initial_user": USER, **_MENU}),
    "multi_users_select": _element("multi_users_select", {}, {
        "initial_users": listed(USER, 100, 0), "max_selected_items": integer(1, 100), **_MENU}),
    "channels_select": _element("channels_select", {}, {
        "initial_channel": CHANNEL, "response_url_enabled": boolean, **_MENU}),
    "conversations_select": _element("conversations_select", {}, {
        "initial_conversation": string(30), "default_to_current_conversation": boolean, "filter": anything,
        "response_url_enabled": boolean, **_MENU}),
    "datepicker": _element("datepicker", {}, {"initial_date": DATE, **_MENU}),
    "timepicker": _element("timepicker", {}, {"initial_time": TIME, "timezone": string(60), **_MENU}),
    "datetimepicker": _element("datetimepicker", {}, {
        "initial_date_time": integer(10**9, 10**10 - 1), "focus_on_load": boolean, **_CONFIRM}),
    "plain_text_input": _element("plain_text_input", {}, {
        "initial_value": string(3000, 0), "multiline": boolean, "min_length": integer(0, 3000),
        "max_length": integer(1, 3000), **_DISPATCH, **_PLACEHOLDER}, text_within_bounds),
    "number_input": _element("number_input", {"is_decimal_allowed": boolean}, {
        "initial_value": _NUMBER, "min_value": _NUMBER, "max_value": _NUMBER, **_DISPATCH, **_PLACEHOLDER}),
    "email_text_input": _element("email_text_input", {}, {"initial_value": string(3000), **_DISPATCH, **_PLACEHOLDER}),
    "url_text_input": _element("url_text_input", {}, {"initial_value": string(3000), **_DISPATCH, **_PLACEHOLDER}),
    "checkboxes": _element("checkboxes", {"options": listed(rich_option, 10)}, {
        "initial_options": listed(rich_option, 10), "focus_on_load": boolean, **_CONFIRM}, initial_among_options),
    "radio_buttons": _element("radio_buttons", {"options": listed(rich_option, 10)}, {
        "initial_option": rich_option, "focus_on_load": boolean, **_CONFIRM}, initial_among_options),
    "overflow": _element("overflow", {"options": listed(plain_option, 5)}, _CONFIRM),
    "image": record({"type": one_of("image"), "alt_text": string(2000)}, {
        "image_url": string(3000), "slack_file": anything}),
    "icon_button": _element("icon_button", {"icon": one_of("trash"), "text": text(75, plain)}, {
        "value": string(2000), "accessibility_label": string(75), "visible_to_user_ids": listed(USER, 100),
        **_CONFIRM}),
    "feedback_buttons": _element("feedback_buttons", {"positive_button": _FEEDBACK, "negative_button": _FEEDBACK}, {}),
}  # fmt: skip

_SELECTS = {"static_select", "users_select", "channels_select", "conversations_select"}
_MULTI = {"multi_static_select", "multi_users_select"}
_PICKERS = {"datepicker", "timepicker", "datetimepicker"}
_MARKS = {"checkboxes", "radio_buttons"}
_TYPED = {"plain_text_input", "number_input", "email_text_input", "url_text_input"}

_BESIDE_TEXT = _SELECTS | _MULTI | _MARKS | {"button", "overflow", "image", "datepicker", "timepicker"}
ACCESSORY = typed(ELEMENTS, frozenset(_BESIDE_TEXT))
IN_ACTIONS = typed(ELEMENTS, frozenset(_SELECTS | _MULTI | _PICKERS | _MARKS | {"button", "overflow"}))
IN_INPUT = typed(ELEMENTS, frozenset(_SELECTS | _MULTI | _PICKERS | _MARKS | _TYPED))
IN_CONTEXT_ACTIONS = typed(ELEMENTS, frozenset({"icon_button", "feedback_buttons"}))
