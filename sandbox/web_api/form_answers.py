"""What an app's acknowledgement of a submitted form does to the person's screen: errors, update, push or clear."""

from collections.abc import Callable, Mapping

from sandbox.delivery import Outcome
from sandbox.errors import SlackError
from sandbox.web_api.view_methods import checked_view, push_onto, replace_body
from sandbox.workspace import Json
from sandbox.world import View, World

TROUBLE = "We had some trouble connecting. Try again?"


def apply_answer(world: World, view: View, outcome: Outcome) -> None:
    """Apply the acknowledgement's `response_action`; without one the form closes. What Slack would refuse is noted in `outcome`."""
    answer = outcome.response if isinstance(outcome.response, dict) else {}
    action = answer.get("response_action")
    move = ACTIONS.get(action) if isinstance(action, str) else None
    if outcome.error:
        view.notice = TROUBLE
    elif action is None and view.id in world.views:
        world.drop_view(view.id)
    elif move is not None:
        try:
            move(world, view, answer, outcome)
        except SlackError as error:
            outcome.error = error.error
            outcome.errors = {"": "; ".join(error.extra.get("response_metadata", {}).get("messages", []))}
            view.notice = TROUBLE
    elif action is not None:
        outcome.error, view.notice = "invalid_response_action", TROUBLE


def _show_errors(_world: World, view: View, answer: Json, outcome: Outcome) -> None:
    """Show errors at inputs. Raises `SlackError` for an unknown block_id, as Slack does."""
    errors = answer.get("errors")
    inputs = {b["block_id"] for b in view.blocks if b["type"] == "input"}
    if not isinstance(errors, dict) or not errors or set(errors) - inputs:
        raise SlackError("invalid_errors", response_metadata={"messages": [f"no input for: {errors}"]})
    view.errors = outcome.errors = {k: str(v) for k, v in errors.items()}


def _update(world: World, view: View, answer: Json, _outcome: Outcome) -> None:
    """Replace the form by its next page."""
    replace_body(world, view, checked_view(answer.get("view"), "modal"))


def _push(world: World, view: View, answer: Json, _outcome: Outcome) -> None:
    """Put a form on top of this one."""
    push_onto(world, view.user, checked_view(answer.get("view"), "modal"))


def _clear(world: World, view: View, _answer: Json, _outcome: Outcome) -> None:
    """Close every form of this person."""
    for view_id in list(world.stacks.get(view.user, [])):
        world.drop_view(view_id)


ACTIONS: Mapping[str, Callable[[World, View, Json, Outcome], None]] = {
    "errors": _show_errors, "update": _update, "push": _push, "clear": _clear,
}  # fmt: skip
