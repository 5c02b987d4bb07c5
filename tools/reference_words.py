"""What names of the reference mean: of each setting, each entry type, and the sentences above each table."""

from __future__ import annotations

from collections.abc import Mapping

PAGES: Mapping[str, str] = {
    "settings": (
        "From the environment, `.env`, or a directory of secret files (`COUNTERSIGN_SECRETS_DIR`); the environment wins. A wrong one is a sentence\n"
        "and exit 2; a name that is nearly one of these is a warning with the one that was meant. `countersign doctor` checks them.\n\n"
        "Calls out take the proxy that `HTTPS_PROXY`, `HTTP_PROXY` or `ALL_PROXY` names, and none where `NO_PROXY` names the host (a name\n"
        "and all below it, an address, a CIDR range, each with a port or without) or the host is this machine. SOCKS is not spoken."
    ),
    "policy": (
        "`responsibility.yaml` says who answers for what; each Markdown file is one thing that may be asked for. `countersign schema` prints the\n"
        "same as JSON Schemas for editors. What keys mean for each other is judged by `countersign check`. Spans read `30m`, `2h`, `7d`."
    ),
    "log-entries": (
        "Each act is one canonical JSON entry (RFC 8785) in a Merkle tree (RFC 9162). Types are never renamed under format `1`; new ones are\n"
        "added. People stand as pseudonyms; what somebody typed stands as a salted digest whose text is kept apart."
    ),
    "http": (
        "Nothing on the operations address changes anything or names anybody, and it has no sign-in: keep it on this machine or a private\n"
        "network. Signed HTTP refuses what is forged, stale, oversized or malformed with a 4xx and one log line."
    ),
}

SETTINGS: Mapping[str, str] = {
    "SLACK_BOT_TOKEN": "the Bot User OAuth Token, `xoxb-…`",
    "SLACK_APP_TOKEN": "the app-level token for Socket Mode, `xapp-…`",
    "SLACK_SIGNING_SECRET": "for signed HTTP instead",
    "SLACK_API_URL": "another base with `/api/`: `https://`, or `http://` for a sandbox on this machine",
    "COUNTERSIGN_DATABASE_URL": "where everything is stored: `sqlite:///FILE` or `postgresql://…`",
    "COUNTERSIGN_RUNBOOKS_DIR": "the policy folder",
    "COUNTERSIGN_LISTEN": "where signed HTTP is served",
    "COUNTERSIGN_OPS_LISTEN": "where health, metrics and the log are served",
    "COUNTERSIGN_SIGN_LISTEN": "where the page for signing is served, while the policy has `signing`; put your TLS proxy in front",
    "COUNTERSIGN_STATE_DIR": "lock, keys and the signer's memory; mode 0700",
    "COUNTERSIGN_LOG_ORIGIN": "the log's name; made at the first start, never changes afterwards",
    "COUNTERSIGN_LOG_FORMAT": "how log lines look: `json`, or `console`, the default on a terminal",
    "COUNTERSIGN_COMMAND_PREFIX": "`cs-` makes `/cs-breakglass`, and so on",
    "COUNTERSIGN_TIME_SCALE": "above 1 only against a sandbox on this machine",
    "COUNTERSIGN_PAGERDUTY_URL": "another base for PagerDuty's Events API, on this machine",
    "COUNTERSIGN_ME": "who you are, for `drill --only-me` and `doctor --live`",
    "COUNTERSIGN_ALARM_CHANNEL": "hears when the bot itself is late, and when that is over; default: the domains' channels",
    "COUNTERSIGN_HEARTBEAT_URL": "called once a minute while the bot is ready: let a monitor outside miss it",
    "COUNTERSIGN_WITNESS_URL": "a C2SP witness at the other party: its submission prefix",
    "COUNTERSIGN_WITNESS_VKEY": "the key of the witness's cosignatures",
    "COUNTERSIGN_ANCHOR_MAIL": "who gets the newest checkpoint by mail once a day; addresses parted by commas",
    "COUNTERSIGN_ANCHOR_WEBHOOK": "the incoming webhook of a *separate* Slack app, once an hour",
    "COUNTERSIGN_SMTP_URL": "`smtp://[user:password@]host[:port]`, or `smtps://…`, for the mail above",
    "COUNTERSIGN_SMTP_FROM": "the sender of that mail",
    "COUNTERSIGN_TRACES_URL": "a collector's address for OTLP over HTTP (`…/v1/traces`): each request's way as one trace; needs `countersign[otel]`",
    "COUNTERSIGN_AUDIT_CHANNEL": "hears a changed checkpoint at most every 15 minutes: a convenience, no anchor",
}
OTHER_SETTINGS: Mapping[str, str] = {
    "COUNTERSIGN_SECRETS_DIR": "a directory with one file a setting, named after it",
    "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY": "see above",
}
