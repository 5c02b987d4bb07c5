"""The words of policy files: how an id, a duration, a line of text is written.

Each form is one pattern, used for judging, for the printed JSON Schema and, through `HINTS`, for the sentence that
says what to write instead. The patterns are written so that Rust, Python and ECMAScript read them alike.
Texts that people will read hold no control characters and none that reverse the direction of writing.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from runbooks.parsing.file_references import CSV_PATH, ICS_PATH, PEM_PATH

_UNSEEN = r"\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069"
LINE = rf"^[^\s{_UNSEEN}](?:[^{_UNSEEN}]*[^\s{_UNSEEN}])?$"
SLUG = r"^[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?$"
WORD = r"^[a-z][a-z0-9_]*$"
LABEL = r"^[a-z][a-z0-9_.-]*$"
ACCOUNT = r"^(?:[TE][A-Z0-9]{2,}/)?[UW][A-Z0-9]{2,}$"
PERSON = r"^(?:(?:[TE][A-Z0-9]{2,}/)?[UW][A-Z0-9]{2,}|[a-z][a-z0-9_.-]*)$"
CHANNEL = r"^[CG][A-Z0-9]{2,}$"
WORKSPACE = r"^[TE][A-Z0-9]{2,}$"
DURATION = r"^(?:0|[1-9][0-9]{0,5})[smhd]$"
SPAN = r"^[1-9][0-9]{0,5}[smhd]$"
LIMIT = r"^[1-9][0-9]{0,4} per [1-9][0-9]{0,5}[smhd]$"
RP_ID = r"^(?:localhost|(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?)$"
ORIGIN = r"^https?://[!-~]+$"
CREDENTIAL = r"^[A-Za-z0-9_-]{16,1400}$"
BASE64 = r"^[A-Za-z0-9+/]{40,2000}={0,2}$"
WORKING_DAYS = r"^[1-9][0-9]{0,2} working days?$"
CLOCK = r"^(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"
DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
ENV = r"^env:[A-Za-z_][A-Za-z0-9_]*$"
PAGE = r"^(?:env:[A-Za-z_][A-Za-z0-9_]*|[a-z][a-z0-9+.-]*://[!-~]+)$"
MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?:Z|[+-][0-9]{2}:[0-9]{2})?$"
FEED = rf"(?:{ICS_PATH})|(?:{ENV})|(?:^https://[!-~]+$)|(?:^http://(?:localhost|127\.0\.0\.1)[:/][!-~]*$)"
AUDIENCE = r"^[!-~]+$"

_SPAN_HINT = "a whole number above zero and one of s, m, h, d, like `90s`, `15m`, `4h` or `2d`"
HINTS = {
    LINE: "one line of text without control characters or spaces at its ends",
    SLUG: "lower-case letters, digits, `-` and `_`, like `directory-admin`",
    WORD: "lower-case letters, digits and `_`, like `session_recording`",
    LABEL: "lower-case letters, digits, `_`, `-` and `.`, beginning with a letter, like `olga`",
    ACCOUNT: "a Slack user id like `U0OWNER`, or with its workspace `T0HOME/U0OWNER`",
    PERSON: "a Slack user id like `U0OWNER` or `T0HOME/U0OWNER`, or a label from `people`",
    CHANNEL: "a Slack channel id like `C0DIRECTORY`",
    WORKSPACE: "a Slack workspace id like `T0HOME`",
    DURATION: "a whole number and one of s, m, h, d, like `0m`, `90s`, `15m`, `4h` or `2d`",
    SPAN: _SPAN_HINT,
    LIMIT: "a number above zero and a window, like `5 per 7d`",
    RP_ID: "a host name like `countersign.example.org`, or `localhost`; an IP address can hold no passkeys",
    ORIGIN: "scheme and host, like `https://countersign.example.org`",
    CREDENTIAL: "the credential id that `countersign passkey enrol` prints (base64url)",
    BASE64: "the public key that `countersign passkey enrol` prints (base64)",
    PEM_PATH: "the path of a `.pem` file inside this folder, like `roots.pem`",
    WORKING_DAYS: "a number above zero and `working days`, like `10 working days`",
    CLOCK: "a time in quotes from `00:00` to `24:00`, like `08:30`",
    MOMENT: "a day and a time in quotes like `2026-12-24T08:00`, with an offset where it is not the rota's time",
    DATE: "a day like `2027-03-31`",
    ENV: "`env:` and the name of an environment variable, like `env:PAGE_OLGA`",
    PAGE: "`env:` and the name of an environment variable, like `env:PAGE_OLGA`",
    CSV_PATH: "the path of a `.csv` file inside this folder, like `targets.csv`",
    ICS_PATH: "the path of an `.ics` file inside this folder",
    FEED: "an `https://` address, `env:NAME` of one, or the path of an `.ics` file inside this folder",
    AUDIENCE: "one word without spaces, like `pam-prod`",
}


def day(text: str) -> date:
    """A text of the form DATE as a day; raises ValueError when the calendar has no such day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"is {text!r}, which no calendar has: write {HINTS[DATE]}") from None


def _real_day(text: str) -> str:
    day(text)
    return text


def moment(text: str) -> datetime:
    """A text of the form MOMENT, naive where it has no offset; raises ValueError when there is no such time."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"is {text!r}, which no calendar has: write {HINTS[MOMENT]}") from None


def _real_moment(text: str) -> str:
    moment(text)
    return text


Short = Annotated[str, Field(pattern=LINE, max_length=75)]
Long = Annotated[str, Field(pattern=LINE, max_length=150)]
Slug = Annotated[str, Field(pattern=SLUG, max_length=64)]
Word = Annotated[str, Field(pattern=WORD, max_length=64)]
Label = Annotated[str, Field(pattern=LABEL, max_length=64)]
Account = Annotated[str, Field(pattern=ACCOUNT, max_length=64)]
PersonText = Annotated[str, Field(pattern=PERSON, max_length=64)]
Channel = Annotated[str, Field(pattern=CHANNEL, max_length=32)]
Workspace = Annotated[str, Field(pattern=WORKSPACE, max_length=32)]
Duration = Annotated[str, Field(pattern=DURATION)]
Span = Annotated[str, Field(pattern=SPAN)]
LimitText = Annotated[str, Field(pattern=LIMIT)]
RpId = Annotated[str, Field(pattern=RP_ID, max_length=253)]
Origin = Annotated[str, Field(pattern=ORIGIN, max_length=300)]
Credential = Annotated[str, Field(pattern=CREDENTIAL)]
Base64 = Annotated[str, Field(pattern=BASE64)]
PemPath = Annotated[str, Field(pattern=PEM_PATH, max_length=200)]
WorkingDays = Annotated[str, Field(pattern=WORKING_DAYS)]
Text = Annotated[str, Field(pattern=LINE, max_length=500)]
Clock = Annotated[str, Field(pattern=CLOCK)]
Day = Annotated[
    str,
    Field(pattern=DATE),
    AfterValidator(_real_day),
    WithJsonSchema({"type": "string", "format": "date", "pattern": DATE}),
]
Moment = Annotated[str, Field(pattern=MOMENT), AfterValidator(_real_moment)]
Env = Annotated[str, Field(pattern=ENV, max_length=200)]
Page = Annotated[str, Field(pattern=PAGE, max_length=500)]
Feed = Annotated[str, Field(pattern=FEED, max_length=500)]
CsvPath = Annotated[str, Field(pattern=CSV_PATH, max_length=200)]
Audience = Annotated[str, Field(pattern=AUDIENCE, max_length=255)]
Pattern = Annotated[str, Field(min_length=1, max_length=200, json_schema_extra={"format": "regex"})]
