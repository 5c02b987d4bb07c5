"""The sandbox's configuration: teams, people, channels, the app, and the page's texts.

Every type can be built from a plain dictionary (`Workspace.from_dict`), so that a demo can keep it as JSON. An unknown
key is refused, because a misspelt `is_resticted` would silently make a guest a member.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

Json = dict[str, Any]

SLACKBOT = "USLACKBOT"


class ConfigError(ValueError):
    """The configuration of the sandbox does not fit; the text names the place and what is wrong."""


def _build(cls: type[Any], raw: object, where: str) -> Any:
    """Build a dataclass from a mapping; refuse unknown and missing keys by name."""
    if isinstance(raw, cls):
        return raw
    if not isinstance(raw, Mapping):
        raise ConfigError(f"{where}: expected an object, got {type(raw).__name__}")
    known = {f.name: f for f in dataclasses.fields(cls)}
    unknown = sorted(set(raw) - set(known))
    if unknown:
        raise ConfigError(f"{where}: unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}")
    try:
        return cls(**raw)
    except TypeError as error:
        raise ConfigError(f"{where}: {error}") from error


def _list(cls: type[Any], raw: Any, where: str) -> list[Any]:
    """Build a list of dataclasses, naming each by its place."""
    return [_build(cls, item, f"{where}[{i}]") for i, item in enumerate(raw or [])]


@dataclass(frozen=True)
class Team:
    """A Slack workspace. `id` is `T…`; `domain` is the first part of its address."""

    id: str
    name: str
    domain: str = ""


@dataclass
class User:
    """A person (or bot) with an account in exactly one team; flags as in `users.info`.

    `dnd` is a running snooze window that apps can see in `dnd.info`. `accepts_dms=False` makes every direct message
    of the app fail with `channel_not_found`, as happens with people of connected workspaces. People of other teams are
    strangers to the app until a channel is shared with them; `is_stranger` says so of anybody.
    """

    id: str
    name: str
    real_name: str
    team_id: str
    display_name: str = ""
    title: str = ""
    email: str = ""
    tz: str = "Europe/London"
    is_admin: bool = False
    is_bot: bool = False
    deleted: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    dnd: bool = False
    accepts_dms: bool = True

    @property
    def shown_name(self) -> str:
        """The name shown beside this person's messages."""
        return self.display_name or self.real_name or self.name


@dataclass
class Channel:
    """A channel (`C…`), private channel (`G…` or `is_private`) or direct message with the app (`D…`)."""

    id: str
    name: str
    members: list[str] = field(default_factory=list)
    team_id: str = ""
    shared_with: list[str] = field(default_factory=list)
    is_private: bool = False
    is_archived: bool = False
    topic: str = ""
    im_user: str = ""

    @property
    def is_im(self) -> bool:
        """Whether this is the direct message between the app and `im_user`."""
        return bool(self.im_user)


@dataclass(frozen=True)
class Command:
    """A slash command of the app; `should_escape` turns `@name` into `<@U…|name>` as the manifest's key does."""

    command: str
    description: str = ""
    usage_hint: str = ""
    should_escape: bool = False


@dataclass(frozen=True)
class Shortcut:
    """A shortcut of the app: `global` (in the composer's menu) or `message` (in the menu of each message)."""

    name: str
    callback_id: str
    description: str = ""
    type: str = "global"


DEFAULT_SCOPES = (
    "app_mentions:read",
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "dnd:read",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "team:read",
    "users:read",
)
DEFAULT_EVENTS = ("app_home_opened", "app_mention", "message.im", "member_joined_channel")


@dataclass
class App:
    """The one app that is installed here, with its tokens and what its manifest declares."""

    id: str = "A0SANDBOX"
    name: str = "App"
    team_id: str = ""
    bot_user_id: str = "U0BOT"
    bot_id: str = "B0BOT"
    bot_token: str = "xoxb-sandbox-bot"  # noqa: S105 - a made-up token of a look-alike
    app_token: str = "xapp-sandbox-app"  # noqa: S105
    signing_secret: str = "sandbox-signing-secret"  # noqa: S105
    verification_token: str = "sandbox-verification"  # noqa: S105
    scopes: list[str] = field(default_factory=lambda: list(DEFAULT_SCOPES))
    events: list[str] = field(default_factory=lambda: list(DEFAULT_EVENTS))
    commands: list[Command] = field(default_factory=list)
    shortcuts: list[Shortcut] = field(default_factory=list)
    request_url: str = ""
    home_enabled: bool = True
    description: str = ""

    def __post_init__(self) -> None:
        """Accept plain dictionaries for the nested lists."""
        self.commands = _list(Command, self.commands, "app.commands")
        self.shortcuts = _list(Shortcut, self.shortcuts, "app.shortcuts")


@dataclass
class Settings:
    """Slack's own numbers, in seconds; tests shorten them."""

    ack_seconds: float = 3.0
    trigger_seconds: float = 3.0
    response_url_seconds: float = 1800.0
    response_url_uses: int = 5
    event_retry_seconds: list[float] = field(default_factory=lambda: [0.1, 60.0, 300.0])
    ping_seconds: float = 5.0
    limit_messages: bool = False
    guests_may_use_commands: bool = True
    timeline_length: int = 5000


@dataclass
class ScriptStep:
    """One step that the page's checklist shows; `persona` and `at` let a click set up the left pane, `link` is opened beside it."""

    text: str
    detail: str = ""
    persona: str = ""
    at: str = ""
    link: str = ""
    done: bool = False


@dataclass
class Workspace:
    """The whole configuration of a sandbox."""

    teams: list[Team]
    users: list[User]
    channels: list[Channel] = field(default_factory=list)
    app: App = field(default_factory=App)
    settings: Settings = field(default_factory=Settings)
    banner: str = ""
    script: list[ScriptStep] = field(default_factory=list)
    start: dict[str, str] = field(default_factory=dict)  # the page's address parameters where it is opened without any

    def __post_init__(self) -> None:
        """Build the nested types, fill in the home team and the bot's own account, and check references."""
        self.teams = _list(Team, self.teams, "teams")
        self.users = _list(User, self.users, "users")
        self.channels = _list(Channel, self.channels, "channels")
        self.app = _build(App, self.app, "app")
        self.settings = _build(Settings, self.settings, "settings")
        self.script = _list(ScriptStep, self.script, "script")
        if not self.teams:
            raise ConfigError("teams: at least one team is needed")
        self.app.team_id = self.app.team_id or self.teams[0].id
        for channel in self.channels:
            channel.team_id = channel.team_id or self.app.team_id
        self._add_bots()
        self._check()

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Self:
        """Build a workspace from plain data (see `sandbox/example.json`). Raises `ConfigError`."""
        built: Self = _build(cls, raw, "workspace")
        return built

    def _add_bots(self) -> None:
        """The app's bot user exists in its team although nobody writes it into the list of people."""
        if all(u.id != self.app.bot_user_id for u in self.users):
            name = self.app.name.lower().replace(" ", "-")
            bot = User(self.app.bot_user_id, name, self.app.name, self.app.team_id, is_bot=True)
            self.users.append(bot)

    def _check(self) -> None:
        """Refuse duplicate ids and references to nobody."""
        teams = [t.id for t in self.teams]
        users = [u.id for u in self.users]
        for kind, ids in (("teams", teams), ("users", users), ("channels", [c.id for c in self.channels])):
            twice = sorted({i for i in ids if ids.count(i) > 1})
            if twice:
                raise ConfigError(f"{kind}: {twice[0]} stands there twice")
        for user in self.users:
            if user.team_id not in teams:
                raise ConfigError(f"users: {user.id} is of team {user.team_id}, which is not listed")
        for channel in self.channels:
            stray = [m for m in channel.members if m not in users]
            if stray:
                raise ConfigError(f"channels: {channel.id} has the member {stray[0]}, who is not listed")
