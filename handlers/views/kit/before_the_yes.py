"""The steps that a runbook's body requires before the approval: the part under the heading `Before the yes`.

It is shown in the filing form and on **Attest**, because afterwards it would be read too late. A form shows no Markdown, so the
text is converted to mrkdwn; the rest of the body is shown after the yes, as written.
"""

from __future__ import annotations

import re

from handlers.views.kit.blocks import Block, section
from handlers.views.kit.escaping import cut_mrkdwn, escape, tame

SHOWN = 2800
_HEADING = re.compile(r"^(#{1,6})[ \t]+(.+?)[ \t]*#*$")
_TITLE = re.compile(r"before the yes\b", re.IGNORECASE)
_BOLD = re.compile(r"\*\*(.+?)\*\*")


def text_of(body: str) -> str:
    """The text under the heading, up to the next one of its level; empty where the body has no such part."""
    lines, found, level = body.split("\n"), list[str](), 0
    for line in lines:
        heading = _HEADING.match(line)
        if heading and level and len(heading[1]) <= level:
            break
        if level:
            found.append(line)
        elif heading and _TITLE.match(heading[2]):
            level = len(heading[1])
    return "\n".join(found).strip("\n")


def blocks(body: str) -> list[Block]:
    """The same for a form, under a title of its own."""
    text = text_of(body)
    if not text.strip():
        return []
    shown = _BOLD.sub(r"*\1*", escape(tame(text)))
    return [section(cut_mrkdwn(f"*Before the yes*\n{shown}", SHOWN))]
