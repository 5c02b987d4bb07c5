"""Snapshots of what somebody sees: messages and forms."""

import dataclasses
from typing import Any

from sandbox.elements import choices
from sandbox.hands import buttons_of, field_in, fields_of, label_of
from sandbox.inputs import plain_value
from sandbox.workspace import Json
from sandbox.world import Message, View


def shown_text(blocks: list[Json]) -> str:
    """Every text that blocks show, one per line, in the order in which it is drawn."""
    found: list[str] = []

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("text"), str):
                found.append(value["text"])
            for key, inner in value.items():
                if key not in ("placeholder", "confirm") and isinstance(inner, dict | list):
                    walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(blocks)
    return "\n".join(found)


@dataclasses.dataclass(frozen=True)
class Seen:
    """A message as somebody sees it now. It does not change with the message: pressing it later is a stale click."""

    raw: Message

    @property
    def ts(self) -> str:
        """The message's id."""
        return self.raw.ts

    @property
    def channel(self) -> str:
        """The conversation it is in."""
        return self.raw.channel

    @property
    def author(self) -> str:
        """The user id of who said it."""
        return self.raw.user

    @property
    def text(self) -> str:
        """The plain text, which notifications show."""
        return self.raw.text

    @property
    def blocks(self) -> list[Json]:
        """Its blocks."""
        return self.raw.blocks

    @property
    def shown(self) -> str:
        """What is drawn: the texts of the blocks, or the plain text if there are none."""
        return shown_text(self.raw.blocks) if self.raw.blocks else self.raw.text

    @property
    def buttons(self) -> list[str]:
        """What is written on its buttons."""
        return [label_of(e) for _, e in buttons_of(self.raw.blocks)]

    @property
    def thread_ts(self) -> str:
        """The parent's ts if it is a reply."""
        return self.raw.thread_ts

    @property
    def ephemeral(self) -> bool:
        """Whether only one person sees it."""
        return self.raw.ephemeral

    @property
    def edited(self) -> bool:
        """Whether it carries "(edited)"."""
        return bool(self.raw.edited)


@dataclasses.dataclass(frozen=True)
class Form:
    """A modal or App Home as somebody sees it now."""

    raw: View

    @property
    def id(self) -> str:
        """The view's id."""
        return self.raw.id

    @property
    def title(self) -> str:
        """The modal's title."""
        return str(self.raw.body.get("title", {}).get("text", ""))

    @property
    def submit(self) -> str:
        """What is written on the button that sends it; empty if there is none."""
        return str((self.raw.body.get("submit") or {}).get("text", ""))

    @property
    def callback_id(self) -> str:
        """The app's name for it."""
        return str(self.raw.body.get("callback_id", ""))

    @property
    def private_metadata(self) -> str:
        """What the app carries along in it."""
        return str(self.raw.body.get("private_metadata", ""))

    @property
    def blocks(self) -> list[Json]:
        """Its blocks."""
        return self.raw.blocks

    @property
    def shown(self) -> str:
        """The texts that are drawn, one per line."""
        return shown_text(self.raw.blocks)

    @property
    def labels(self) -> list[str]:
        """The labels of its inputs."""
        return [label for label, _, _ in fields_of(self.raw.blocks)]

    @property
    def buttons(self) -> list[str]:
        """What is written on the buttons inside it."""
        return [label_of(e) for _, e in buttons_of(self.raw.blocks)]

    def value(self, label: str) -> Any:
        """The value of an input: text, option value(s), user id(s), date; None if empty."""
        block_id, element = field_in(self.raw, label)
        return plain_value(self.raw.values[block_id][element["action_id"]])

    def options(self, label: str) -> list[str]:
        """The texts of a menu's choices."""
        return [o["text"]["text"] for o in choices(field_in(self.raw, label)[1])]

    @property
    def errors(self) -> dict[str, str]:
        """Complaints by the label of their input."""
        labels = {block_id: label for label, block_id, _ in fields_of(self.raw.blocks)}
        return {labels.get(block_id, block_id): said for block_id, said in self.raw.errors.items()}

    @property
    def notice(self) -> str:
        """Slack's own trouble line at the bottom; empty if none."""
        return self.raw.notice
