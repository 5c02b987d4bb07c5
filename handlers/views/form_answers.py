"""The messages to people who get no form: they may ask for nothing, or Slack did not open it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from handlers.views.kit import wording
from handlers.views.kit.context import ViewContext
from handlers.views.kit.escaping import inline

Params = Mapping[str, object]


def _no_requester(_params: Params, scene: ViewContext) -> str:
    return (
        f"You are not named as somebody who may ask {inline(scene.policy.organisation, 100)} for anything."
        f" Write to {contact(scene)} if that is wrong."
    )


def _nothing_of_kind(params: Params, scene: ViewContext) -> str:
    kind = next((text for key, text in wording.KINDS.items() if key == word(params, "argument")), "anything")
    return (
        f"There is no runbook of the kind “{kind}” that you may ask for."
        f" `/{scene.prefix}countersign ask` shows everything that you may; write to {contact(scene)} if that is wrong."
    )


def _not_yet(_params: Params, scene: ViewContext) -> str:
    rules = scene.policy.agreement
    waits = (
        "its owner has to confirm it first" if rules and rules.unconfirmed == "hold" else "its announced delay has to pass"
    )
    return f"Nothing can be asked for yet: what you may ask for is new, and {waits}. Write to {contact(scene)} if it is urgent."


def _unknown_button(_params: Params, scene: ViewContext) -> str:
    return f"This button means nothing in this release. Nothing was changed. Write to {contact(scene)} if you need it."


def _form_not_shown(_params: Params, _scene: ViewContext) -> str:
    return "Slack did not open the form: it waits three seconds at most. Nothing was filed. Type the command again."


def _form_not_opened(_params: Params, _scene: ViewContext) -> str:
    return "Slack did not open the form: it waits three seconds at most. Nothing was changed. Press the button again."


def _slack_refuses(params: Params, scene: ViewContext) -> str:
    return (
        f"Slack refuses this app ({inline(word(params, 'argument'), 80)}), so no form opens. Nothing was filed or changed. Pressing again"
        f" does not help: write to {contact(scene)}, SLACK_BOT_TOKEN must be replaced."
    )


def _no_sealed_use(_params: Params, scene: ViewContext) -> str:
    return f"Only people who are named for a domain record a use of the sealed path. Write to {contact(scene)}."


def _finding_joined(params: Params, _scene: ViewContext) -> str:
    known = f" as *{inline(word(params, 'id'), 20)}*" if word(params, "id") else ""
    return f"This is reported already{known} and is not closed. Your words were added to it; nobody is asked a second time."


def contact(scene: ViewContext) -> str:
    """Whom to write to, from the policy."""
    return inline(scene.policy.contact, 200)


def word(params: Params, key: str) -> str:
    """A parameter as text; empty where there is none."""
    value = params.get(key, "")
    return value if isinstance(value, str) else str(value)


FORM_SENTENCES: Mapping[str, Callable[[Params, ViewContext], str]] = {
    "no_requester": _no_requester,
    "not_yet": _not_yet,
    "nothing_of_kind": _nothing_of_kind,
    "unknown_button": _unknown_button,
    "form_not_shown": _form_not_shown,
    "form_not_opened": _form_not_opened,
    "slack_refuses": _slack_refuses,
    "no_sealed_use": _no_sealed_use,
    "finding_joined": _finding_joined,
}
