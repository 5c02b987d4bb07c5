"""Everything that crosses the sandbox's line is judged: calls, payloads, and answers to forms."""

from __future__ import annotations

from sandbox.driver import Sandbox
from tests.slack import judges


def complaints(sandbox: Sandbox) -> list[str]:
    """What the judges object to, with the number of the line. A call that a fault broke off was never read: it has no
    arguments."""
    found = payload_complaints(sandbox)
    for line in sandbox.timeline.lines:
        said: list[str] = []
        if line.kind == "call" and judges.knows(line.name) and line.sent:
            said = judges.call(line.name, line.sent)
        elif line.kind == "delivery":
            said = judges.answer(line.answer)
        elif line.kind == "response_url" and isinstance(line.sent.get("blocks"), list):
            said = judges.message(line.sent["blocks"], str(line.sent.get("text", "")))
        found += [f"{line.number} {line.name}: {one}" for one in said]
    return found


def payload_complaints(sandbox: Sandbox) -> list[str]:
    """The same of what the sandbox sent. A payload that a test made by hand is not the sandbox's: it lacks its token."""
    own = sandbox.world.workspace.app.verification_token
    sent = (line for line in sandbox.timeline.of("delivery") if line.sent.get("token") == own)
    return [f"{line.number} {said}" for line in sent for said in judges.payload(line.name, line.sent)]
