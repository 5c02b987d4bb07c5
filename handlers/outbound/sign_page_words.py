"""The words of the page for signing: the card's own, without Slack's markup, and the sentences that a press is answered with."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence

from bot.domain.authority.endorsement import WaitingChange
from bot.domain.case.ask import Ask
from bot.domain.case.model import Case
from bot.domain.case.operator_action import OperatorAction
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.signing.decision import Choice
from handlers import ids
from handlers.views import facts, operator
from handlers.views.answers import say
from handlers.views.approval_card import card
from handlers.views.governance import key_changes
from handlers.views.kit import wording
from handlers.views.kit.blocks import Block, Message, actions, link_button, message, section
from handlers.views.kit.context import ViewContext, span
from handlers.views.kit.signing import SIGNED
from handlers.views.request_form import STEPS
from handlers.views.reviews.cards import ask_card

_MENTION = re.compile(r"<@(\w+)>")
_MARKED = re.compile(r"<[^<>|]*\|([^<>]*)>|<([^<>|]*)>")
_BOLD = re.compile(r"(?<![\w*])\*([^*\n]+)\*(?![\w*])")
_LABELS: Mapping[str, str] = {
    "approve": wording.APPROVE, "extend": wording.EXTEND, "renew": wording.RENEW, "ratify": wording.RATIFY,
    "restore": wording.RESTORE, "keep": wording.KEEP,
}  # fmt: skip
_NO_LABELS: Mapping[str, str] = {"ratification": wording.REJECT, "right": wording.WITHDRAW_RIGHT}


class SignPageWords:
    """The page's words at this moment; `scene` gives policy and time."""

    def __init__(self, scene: Callable[[], ViewContext]) -> None:
        self._scene = scene

    def card(self, case: Case, ask: Ask, reader: Person) -> str:
        """The card of a question as one reader sees it, as plain text."""
        scene = self._scene()
        drawn = card(case, reader, scene) if ask.kind == "approval" else ask_card(case, ask, reader, scene)
        lines = (text for block in drawn.blocks if block["type"] in ("section", "context") for text in _texts(block))
        said = plain("\n\n".join(lines), scene.policy)
        return said.replace(f"{SIGNED}\n", "")  # the reader is on that page already

    def act(self, act: OperatorAction) -> str:
        """The card of an operator's act, as plain text."""
        scene = self._scene()
        return plain(operator.told(act, scene).text, scene.policy)

    def keys(self, change: WaitingChange) -> str:
        """What a change of the signing keys does, as plain text."""
        scene = self._scene()
        return plain(key_changes.words(change, scene), scene.policy)

    def title(self, case: Case) -> str:
        """What a list calls a request."""
        return plain(f"{case.id} · {facts.heading(case, 120)}", self._scene().policy)

    def answer(self, told: Mapping[str, object]) -> str:
        """The sentence that a press is answered with."""
        scene = self._scene()
        return plain(say(str(told.get("sentence", "failed")), told, scene).text, scene.policy)

    def less(self, case: Case) -> Sequence[tuple[str, str]]:
        """Shorter times to choose from, in seconds and in words."""
        asked = case.request.seconds
        fitting = [step for step in STEPS if step < asked] or [max(asked // 2, 1)]
        return [(str(step), span(step)) for step in fitting]

    def label(self, ask: Ask, choice: Choice) -> str:
        """What the button of a choice is called."""
        return _LABELS[choice.verdict] if choice.yes else _NO_LABELS.get(ask.kind, wording.DENY)


def plain(text: str, policy: Policy) -> str:
    """Finished mrkdwn as plain text: names for mentions, UTC for times."""
    named = _MENTION.sub(lambda found: _name(found[1], policy), text)
    bare = _BOLD.sub(r"\1", _MARKED.sub(lambda found: found[1] or found[2] or "", named)).replace("`", "")
    quoted = "\n".join(f"│ {line[1:]}" if line.startswith(">") else line for line in bare.split("\n"))
    return html.unescape(quoted).replace("\u2060", "")


def sign_here(url: str) -> Message:
    """The answer to a press in Slack that must be signed; without an address, why there is none."""
    text = "This approval needs your passkey; a click in Slack does not count. Open the page and sign there."
    if not url:
        none = "You can't approve: this needs a passkey, and the policy has no valid one of yours. You can still deny."
        return message(none, [section(none)])
    row = actions(ids.BLOCK_SIGN, link_button("Open the page", ids.SIGN, "page", url, "primary"))
    return message(text, [section(text), row])


def _texts(block: Block) -> list[str]:
    parts = [block["text"]] if block["type"] == "section" else block["elements"]
    return [str(part["text"]) for part in parts]


def _name(user: str, policy: Policy) -> str:
    return next((named.name for named in policy.people if named.person.user == user), user)
