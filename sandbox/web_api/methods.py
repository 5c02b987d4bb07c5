"""The Web API: one table of methods, how a request is read, and what is checked before a method runs.

A method is a function of the call that returns what goes beside `ok: true`, or raises `SlackError`.
"""

import json
from collections.abc import Mapping
from typing import Any

from sandbox.errors import SlackError
from sandbox.web_api import chat_methods, people_methods, view_methods
from sandbox.web_api.api_call import Call, Method
from sandbox.workspace import Json

METHODS: dict[str, Method] = {**people_methods.METHODS, **chat_methods.METHODS, **view_methods.METHODS}
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
    method = METHODS.get(call.method)
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
