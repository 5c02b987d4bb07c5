"""The look-alike's errors: Slack's own error codes, with the fields that Slack sends beside them."""

from typing import Any


class SlackError(Exception):
    """A Web API refusal. `error` is Slack's code; `extra` goes into the response beside it."""

    def __init__(self, error: str, status: int = 200, headers: dict[str, str] | None = None, **extra: Any) -> None:
        """Keep the word, the HTTP status (429 and 5xx only) and everything else of the response."""
        super().__init__(error)
        self.error = error
        self.status = status
        self.headers = headers or {}
        self.extra = extra


class GestureError(Exception):
    """What was asked of a person cannot be done on the screen (no such button, no open modal, …)."""
