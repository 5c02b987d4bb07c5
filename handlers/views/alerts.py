"""What people are told when the watchdog finds the bot late or a calendar is lost, and when that is over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from handlers.views.kit.blocks import Message, message, section
from handlers.views.kit.context import ViewContext, who
from handlers.views.kit.escaping import inline


def calendar(data: Mapping[str, object], scene: ViewContext) -> Message:
    """The calendar of a rota cannot be used any more, so its fallback is on call; or it can again (`blind` false)."""
    rota = scene.policy.rotas.get(str(data.get("rota")))
    name = inline(str(data.get("rota")), 60)
    if not data.get("blind"):
        text = f"*The on-call calendar of {name} is read again.* Who is on call is what it says."
    elif rota is not None and rota.fallback is not None:
        text = f"*The on-call calendar of {name} cannot be used.* {who(rota.fallback)} is on call until it can."
    else:
        text = f"*The on-call calendar of {name} cannot be used.* Nobody is on call: the rota has no fallback."
    return message(text, [section(text)])


def watchdog(data: Mapping[str, object], scene: ViewContext) -> Message:
    """`troubles`: a sentence each; none when it is over. `since`: milliseconds since 1970."""
    ms, found = data.get("since"), data.get("troubles")
    since = scene.at(datetime.fromtimestamp(ms / 1000, UTC)) if isinstance(ms, int) else "a while ago"
    troubles = [inline(str(t), 300) for t in found[:20]] if isinstance(found, list) else []
    if troubles:
        lines = ["*Countersign is late.*", *(f"• {t}" for t in troubles)]
        lines.append("Whoever runs it: look at `/readyz` and its log. If access is urgent, use your sealed path.")
    else:
        lines = [f"*Countersign is in time again.* It was late since {since}."]
    text = "\n".join(lines)
    return message(text, [section(text)])
