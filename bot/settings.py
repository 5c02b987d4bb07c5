"""Settings: from the environment, `.env`, or a secrets directory (`COUNTERSIGN_SECRETS_DIR`).

Slack's own names are kept; the rest has the prefix COUNTERSIGN_. A missing or malformed setting is one clear sentence
and exit 2. Source: design, section 8.
"""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as SourceError

from bot.domain.decision_log.witness import read_witness_key
from bot.domain.errors import NoteError, SettingsError, TextFileError
from bot.domain.policy.handed_in import file_text, trimmed
from bot.domain.policy.trusted_address import is_mail_server, is_on_this_machine, is_private
from bot.ports.database import Location, PostgresServer

ENV_FILE = Path(".env")
SLACK_API = "https://slack.com/api/"
_SAID = {"float_parsing": "is not a number: leave it out, or write 1"}
_ADDRESS = re.compile(r"[^\s@,<>]+@[^\s@,<>]+")
_PREFIX = re.compile(r"[\w-]{0,20}")
_CHANNEL = re.compile(r"[CG][A-Z0-9]{2,}")
_OTHER_TOKENS = {
    "xapp-": ("an app-level token", "the two tokens are swapped: it belongs into SLACK_APP_TOKEN"),
    "xoxb-": ("a bot token", "the two tokens are swapped: it belongs into SLACK_BOT_TOKEN"),
    "xoxp-": ("a user token", "which Countersign never uses"),
}


class Settings(BaseSettings):
    """Everything that a running bot needs to know beside its policy files."""

    model_config = SettingsConfigDict(
        env_prefix="COUNTERSIGN_",
        env_file=ENV_FILE,
        env_file_encoding="utf-8-sig",
        extra="ignore",
        env_ignore_empty=True,
        hide_input_in_errors=True,
    )

    slack_bot_token: SecretStr | None = Field(None, validation_alias=AliasChoices("SLACK_BOT_TOKEN", "slack_bot_token"))
    slack_app_token: SecretStr | None = Field(None, validation_alias=AliasChoices("SLACK_APP_TOKEN", "slack_app_token"))
    slack_signing_secret: SecretStr | None = Field(
        None, validation_alias=AliasChoices("SLACK_SIGNING_SECRET", "slack_signing_secret")
    )
    slack_api_url: str = Field(SLACK_API, validation_alias=AliasChoices("SLACK_API_URL", "slack_api_url"))
    database_url: str = "sqlite:///countersign.db"
    runbooks_dir: Path = Path("runbooks")
    listen: str = "127.0.0.1:3000"
    ops_listen: str = "127.0.0.1:3001"
    sign_listen: str = "127.0.0.1:3002"
    state_dir: Path = Path(".countersign")
    log_origin: str | None = None
    log_format: str | None = None
    command_prefix: str = ""
    time_scale: float = 1.0
    pagerduty_url: str | None = None  # a stand-in for PagerDuty on this machine
    me: str | None = None  # who drills with --only-me
    alarm_channel: str | None = None
    heartbeat_url: SecretStr | None = None
    witness_url: SecretStr | None = None
    witness_vkey: str | None = None
    anchor_mail: str | None = None
    anchor_webhook: SecretStr | None = None
    smtp_url: SecretStr | None = None
    smtp_from: str | None = None
    audit_channel: str | None = None
    traces_url: str | None = None  # a collector's address for OTLP over HTTP

    @model_validator(mode="before")
    @classmethod
    def _trim(cls, given: object) -> object:
        """Drops white space and byte order marks at the ends: a secret made with `echo` ends with a line break."""
        if not isinstance(given, dict):
            return given
        tidy = {name: trimmed(value) if isinstance(value, str) else value for name, value in given.items()}
        return {name: value for name, value in tidy.items() if value != "" or given[name] == ""}

    @field_validator("slack_bot_token", "slack_app_token", "slack_signing_secret")
    @classmethod
    def _unbroken(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and any(sign in value.get_secret_value() for sign in "\"'“”‘’`"):
            raise ValueError("holds quotation marks, which are a part of it here: leave them out")
        if value is not None and not all("!" <= sign <= "~" for sign in value.get_secret_value()):
            raise ValueError("holds a space, a line break or a sign that no token has: copy it again, alone")
        return value

    @field_validator("slack_api_url")
    @classmethod
    def _base(cls, value: str) -> str:
        if not is_private(value):
            raise ValueError("must be an address that starts with https:// (or http:// for a sandbox on this machine)")
        return value if value.endswith("/") else value + "/"

    @field_validator("slack_bot_token")
    @classmethod
    def _bot_token(cls, value: SecretStr | None) -> SecretStr | None:
        return _starts(value, "xoxb-", "Copy the Bot User OAuth Token from “OAuth & Permissions” of your Slack app")

    @field_validator("slack_app_token")
    @classmethod
    def _app_token(cls, value: SecretStr | None) -> SecretStr | None:
        return _starts(value, "xapp-", "Make an App-Level Token with connections:write under “Basic Information”")

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str) -> str:
        if not value.startswith(("sqlite:///", "postgresql://")):
            raise ValueError("must start with sqlite:/// or postgresql://")
        return value

    @field_validator("pagerduty_url")
    @classmethod
    def _stand_in(cls, value: str | None) -> str | None:
        if value is not None and not (is_private(value) and is_on_this_machine(value)):
            raise ValueError("is only for a stand-in on this machine; leave it out")
        return value

    @field_validator("log_format")
    @classmethod
    def _format(cls, value: str | None) -> str | None:
        if value not in (None, "json", "console"):
            raise ValueError("is json or console")
        return value

    @field_validator("alarm_channel", "audit_channel")
    @classmethod
    def _channel(cls, value: str | None) -> str | None:
        if value is not None and not _CHANNEL.fullmatch(value):
            raise ValueError("is a channel's id such as C0123ABCD: open the channel's details in Slack and copy it")
        return value

    @field_validator("traces_url")
    @classmethod
    def _collector(cls, value: str | None) -> str | None:
        if value is not None and not is_private(value):
            raise ValueError("must be an address that starts with https:// (or http:// for a collector on this machine)")
        return value

    @field_validator("command_prefix")
    @classmethod
    def _prefix(cls, value: str) -> str:
        if not _PREFIX.fullmatch(value):
            raise ValueError("begins the names of Slack commands, like cs-: write at most 20 letters, digits, - and _")
        return value

    @field_validator("heartbeat_url")
    @classmethod
    def _heartbeat(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not is_private(value.get_secret_value()):
            raise ValueError("must be an address that starts with https:// (or http:// on this machine)")
        return value

    @model_validator(mode="after")
    def _clock(self) -> Settings:
        if not 1 <= self.time_scale < float("inf"):  # nan, too, is neither
            raise ValueError("COUNTERSIGN_TIME_SCALE is 1 or more: policy times are never stretched")
        if self.time_scale > 1 and not is_on_this_machine(self.slack_api_url):
            raise ValueError("COUNTERSIGN_TIME_SCALE above 1 is for a sandbox on this machine; leave it out")
        return self

    @model_validator(mode="after")
    def _anchors(self) -> Settings:
        configured = any((self.witness_url, self.witness_vkey, self.anchor_mail, self.anchor_webhook))
        if configured and (wrong := list(_anchor_faults(self))):
            raise ValueError(". ".join(wrong))
        return self

    @property
    def anchor_recipients(self) -> tuple[str, ...]:
        """The comma-separated addresses of COUNTERSIGN_ANCHOR_MAIL."""
        return tuple(one.strip() for one in (self.anchor_mail or "").split(",") if one.strip())

    @property
    def database(self) -> Location:
        """The database file, or the PostgreSQL server."""
        if self.database_url.startswith("sqlite:///"):
            return Path(self.database_url.removeprefix("sqlite:///"))
        return PostgresServer(self.database_url)

    def require_slack(self) -> None:
        """Raises SettingsError naming what is missing to talk to Slack."""
        if self.slack_bot_token is None:
            raise SettingsError(
                "SLACK_BOT_TOKEN is not set. Copy it from “OAuth & Permissions” of your Slack app (xoxb-…) into .env."
            )
        if self.slack_app_token is None and self.slack_signing_secret is None:
            raise SettingsError(
                "Neither SLACK_APP_TOKEN nor SLACK_SIGNING_SECRET is set. For Socket Mode make an App-Level Token (xapp-…)"
                " with connections:write under “Basic Information” of your Slack app; for signed HTTP copy the Signing"
                " Secret from there."
            )


def load() -> Settings:
    """Reads the settings. Raises SettingsError with one sentence a fault."""
    logging.getLogger("dotenv.main").setLevel(logging.ERROR)  # `setting_names` says what a line of .env is not
    _check_file(ENV_FILE)
    _check_secrets(os.environ.get("COUNTERSIGN_SECRETS_DIR"))
    try:
        return Settings(_secrets_dir=os.environ.get("COUNTERSIGN_SECRETS_DIR"))
    except (UnicodeDecodeError, OSError, SourceError) as error:
        kind = (error.__cause__ or error).__class__.__name__
        raise SettingsError(
            f"A file of COUNTERSIGN_SECRETS_DIR cannot be read ({kind}). Save it as plain UTF-8 text."
        ) from None
    except ValidationError as error:
        raise SettingsError("\n".join(_sentence(dict(e)) for e in error.errors())) from None


def _check_file(path: Path) -> None:
    """Raises SettingsError where `.env` is no text file: a pipe would be waited for without end, UTF-16 would hold no setting."""
    try:
        if stat.S_ISDIR(mode := path.stat().st_mode):
            return  # of another program; as none
        if not stat.S_ISREG(mode):
            raise SettingsError(f"{path} is no regular file. Put a text file there, or remove it.")
        file_text(path.read_bytes())
    except FileNotFoundError:
        return
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror}).") from None
    except TextFileError as error:
        raise SettingsError(f"{path}:{error.line}: {error}") from None


def _check_secrets(folder: str | None) -> None:
    """Raises SettingsError where the folder of secrets is none, or one of its settings is no file: it would count as unset."""
    if not folder:
        return
    if not Path(folder).is_dir():
        raise SettingsError(f"COUNTERSIGN_SECRETS_DIR: {folder!r} is no folder. Create it, or leave the variable out.")
    names = {f"countersign_{name}" for name in Settings.model_fields} | {
        n for n in Settings.model_fields if n.startswith("slack_")
    }
    odd = sorted(p.name for p in Path(folder).iterdir() if p.name.lower() in names and not p.is_file())
    if odd:
        raise SettingsError(
            f"COUNTERSIGN_SECRETS_DIR: {odd[0]} in it is no regular file. Put a text file there, or remove it."
        )


def _sentence(error: dict[str, object]) -> str:
    location = error["loc"]
    assert isinstance(location, tuple)
    text = _SAID.get(str(error["type"])) or str(error["msg"]).removeprefix("Value error, ")
    if not location:
        return f"{text}."
    name = str(location[0])
    if not name.upper().startswith("SLACK_"):
        name = "COUNTERSIGN_" + name
    return f"{name.upper()}: {text}."


def _starts(value: SecretStr | None, prefix: str, advice: str) -> SecretStr | None:
    if value is None or value.get_secret_value().startswith(prefix):
        return value
    for other, (kind, where) in _OTHER_TOKENS.items():
        if value.get_secret_value().startswith(other):
            raise ValueError(f"holds {kind} ({other}…), {where}. {advice}")
    raise ValueError(f"must start with {prefix}. {advice}")


def _anchor_faults(settings: Settings) -> Iterator[str]:
    """What is wrong with the anchors, a sentence each without its full stop. A half-configured anchor is a fault."""
    for name in ("witness_url", "anchor_webhook"):
        secret = getattr(settings, name)
        if secret is not None and not is_private(secret.get_secret_value()):
            yield f"COUNTERSIGN_{name.upper()} must be an address that starts with https:// (or http:// on this machine)"
    if (settings.witness_url is None) != (settings.witness_vkey is None):
        yield "COUNTERSIGN_WITNESS_URL and COUNTERSIGN_WITNESS_VKEY belong together: the witness's operator gives you both"
    if settings.witness_vkey is not None:
        try:
            read_witness_key(settings.witness_vkey)
        except NoteError as error:
            yield f"COUNTERSIGN_WITNESS_VKEY: {str(error).removesuffix('.')}"
    yield from _mail_faults(settings)


def _mail_faults(settings: Settings) -> Iterator[str]:
    if settings.anchor_mail is None:
        return
    if settings.smtp_url is None or settings.smtp_from is None:
        yield "COUNTERSIGN_ANCHOR_MAIL needs COUNTERSIGN_SMTP_URL and COUNTERSIGN_SMTP_FROM"
    given = settings.anchor_recipients
    if not given or not all(_ADDRESS.fullmatch(one) for one in (*given, *filter(None, [settings.smtp_from]))):
        yield "COUNTERSIGN_ANCHOR_MAIL and COUNTERSIGN_SMTP_FROM hold mail addresses, those of the former parted by commas"
    if settings.smtp_url is not None and not is_mail_server(settings.smtp_url.get_secret_value()):
        yield "COUNTERSIGN_SMTP_URL reads smtp://[user:password@]host[:port], or smtps://"
