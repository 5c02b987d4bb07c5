"""The Web API: one table of methods, how a request is read, and what is checked before a method runs.

A method is a function of the call that returns what stands beside `ok: true`, or raises `SlackError`.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.errors import SlackError
from sandbox.workspace import App, Json
from sandbox.world import World


@dataclass
class Call:
    """One call: the method's name, its arguments with JSON strings already parsed, and the bearer token."""

    world: World
    method: str
    args: Json
    token: str = ""
    scopes: list[str] = field(default_factory=list)

    @property
    def app(self) -> App:
        """The app that calls."""
        return self.world.workspace.app

    def text(self, name: str) -> str:
        """An argument as a string; empty if absent."""
        value = self.args.get(name)
        return "" if value is None else str(value)

    def flag(self, name: str) -> bool:
        """An argument as a boolean, in any of the spellings that forms use."""
        return str(self.args.get(name, "")).lower() in ("1", "true")

    def number(self, name: str, default: int, most: int) -> int:
        """An argument as a whole number between 1 and `most`."""
        try:
            return max(1, min(int(self.args.get(name, default)), most))
        except (TypeError, ValueError):
            raise SlackError("invalid_arguments") from None

    def needs(self, *names: str) -> None:
        """Refuse the call as Slack does when an argument is absent."""
        missing = [n for n in names if self.args.get(n) in (None, "")]
        if missing:
            said = [f"[ERROR] missing required field: {n}" for n in missing]
            raise SlackError("invalid_arguments", response_metadata={"messages": said})


Handler = Callable[[Call], Json]


@dataclass(frozen=True)
class Method:
    """A method: its function, and the scopes of which one is needed (none: any token will do)."""

    run: Handler
    scopes: tuple[str, ...] = ()
    app_level: bool = False


def _methods() -> dict[str, Method]:
    """The table, gathered from the modules that hold the methods."""
    from sandbox import chat_methods, people_methods, view_methods

    return {**people_methods.METHODS, **chat_methods.METHODS, **view_methods.METHODS}


_JSON_ARGUMENTS = ("blocks", "view", "attachments", "metadata")


def read_arguments(content_type: str, query: Mapping[str, str], body: bytes, form: Mapping[str, Any]) -> Json:
    """The arguments of a call in any of Slack's encodings: query, form, JSON. Raises `SlackError`."""
    args: Json = dict(query)
    if content_type == "application/json" and body.strip():
        try:
            sent = json.loads(body)
        except ValueError:
            raise SlackError("invalid_json") from None
        if not isinstance(sent, dict):
            raise SlackError("json_not_object")
        args.update(sent)
    else:
        args.update(form)
    for name in _JSON_ARGUMENTS:
        if isinstance(args.get(name), str) and args[name]:
            args[name] = _parsed(name, args[name])
    return args


def _parsed(name: str, value: str) -> Any:
    """The JSON inside a form's or query's argument."""
    try:
        return json.loads(value)
    except ValueError:
        word = "invalid_blocks_format" if name == "blocks" else "invalid_arguments"
        raise SlackError(word, response_metadata={"messages": [f"[ERROR] invalid JSON in {name}"]}) from None


def run(call: Call) -> Json:
    """Check token and scope, perform the method, and return the whole response body. Raises `SlackError`."""
    method = _methods().get(call.method)
    if method is None:
        raise SlackError("unknown_method", req_method=call.method)
    _check_token(call, method)
    granted = call.app.scopes
    if method.scopes and not set(method.scopes) & set(granted):
        raise SlackError("missing_scope", needed=method.scopes[0], provided=",".join(granted))
    return {"ok": True, **method.run(call)}


def _check_token(call: Call, method: Method) -> None:
    """A known token of the right kind."""
    app = call.app
    if not call.token:
        raise SlackError("not_authed")
    if call.token not in (app.bot_token, app.app_token):
        raise SlackError("invalid_auth")
    if (call.token == app.app_token) != method.app_level:
        raise SlackError("not_allowed_token_type")
