"""One call of the Web API, and what a method of it is: what the modules that hold the methods build on."""

from collections.abc import Callable
from dataclasses import dataclass, field

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
