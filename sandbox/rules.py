"""Small rules from which the descriptions of blocks and elements are put together.

A rule looks at one value and notes what is wrong with it in a `Report`, in the words and with the JSON pointers
that Slack puts into `response_metadata.messages`. It never changes the value.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

Rule = Callable[[Any, str, "Report"], None]


class Report:
    """What was found wrong, each with the place as a JSON pointer."""

    def __init__(self) -> None:
        """Nothing found so far."""
        self.messages: list[str] = []

    def bad(self, path: str, what: str) -> None:
        """Note one fault at one place."""
        self.messages.append(f"[ERROR] {what} [json-pointer:{path}]")


def anything(_value: Any, _path: str, _report: Report) -> None:
    """Accept any value."""


def string(longest: int, shortest: int = 1, pattern: str = "") -> Rule:
    """A string of `shortest` to `longest` characters, matching `pattern` if one is given."""

    def check(value: Any, path: str, report: Report) -> None:
        if not isinstance(value, str):
            report.bad(path, "must be a string")
        elif len(value) > longest:
            report.bad(path, f"must be less than {longest + 1} characters")
        elif len(value) < shortest:
            report.bad(path, f"must be more than {shortest - 1} characters")
        elif pattern and not re.fullmatch(pattern, value):
            report.bad(path, f"must match {pattern}")

    return check


def boolean(value: Any, path: str, report: Report) -> None:
    """True or false, not a word for it."""
    if not isinstance(value, bool):
        report.bad(path, "must be a boolean")


def integer(low: int, high: int) -> Rule:
    """A whole number between the bounds."""

    def check(value: Any, path: str, report: Report) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            report.bad(path, "must be an integer")
        elif not low <= value <= high:
            report.bad(path, f"must be between {low} and {high}")

    return check


def one_of(*words: str) -> Rule:
    """One of these words."""

    def check(value: Any, path: str, report: Report) -> None:
        if value not in words:
            report.bad(path, f"must be one of: {', '.join(words)}")

    return check


def listed(item: Rule, most: int, least: int = 1) -> Rule:
    """A list of `least` to `most` items, each obeying `item`."""

    def check(value: Any, path: str, report: Report) -> None:
        if not isinstance(value, list):
            report.bad(path, "must be an array")
            return
        if len(value) > most:
            report.bad(path, f"no more than {most} items allowed")
        if len(value) < least:
            report.bad(path, f"must provide at least {least} items" if least > 1 else "must provide an array with at least 1 item")  # fmt: skip
        for i, entry in enumerate(value):
            item(entry, f"{path}/{i}", report)

    return check


def record(required: Mapping[str, Rule], optional: Mapping[str, Rule], also: Rule = anything) -> Rule:
    """An object with exactly these keys; `also` looks at it as a whole once its keys are right."""

    def check(value: Any, path: str, report: Report) -> None:
        if not isinstance(value, dict):
            report.bad(path, "must be an object")
            return
        before = len(report.messages)
        for key in required:
            if key not in value:
                report.bad(path, f"missing required field: {key}")
        for key, entry in value.items():
            rule = required.get(key) or optional.get(key)
            if rule is None:
                report.bad(path, f"invalid additional property: {key}")
            else:
                rule(entry, f"{path}/{key}", report)
        if len(report.messages) == before:
            also(value, path, report)

    return check


def typed(table: Mapping[str, Rule], allowed: frozenset[str] | None = None) -> Rule:
    """An object whose `type` picks the rule from a table; `allowed` narrows what is allowed here."""

    def check(value: Any, path: str, report: Report) -> None:
        if not isinstance(value, dict):
            report.bad(path, "must be an object")
            return
        kind = value.get("type")
        rule = table.get(kind) if isinstance(kind, str) else None
        if rule is None or (allowed is not None and kind not in allowed):
            report.bad(f"{path}/type", f"unsupported type: {kind}")
            return
        rule(value, path, report)

    return check


def text(longest: int, *kinds: str, shortest: int = 1) -> Rule:
    """A text object of one of these kinds (both if none is named)."""
    may = kinds or ("plain_text", "mrkdwn")

    def check(value: Any, path: str, report: Report) -> None:
        extra: dict[str, Rule] = {"emoji": boolean} if isinstance(value, dict) and value.get("type") == "plain_text" else {"verbatim": boolean}  # fmt: skip
        record({"type": one_of(*may), "text": string(longest, shortest)}, extra)(value, path, report)

    return check


plain = "plain_text"
