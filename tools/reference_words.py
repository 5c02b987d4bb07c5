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
    "COUNTERSIGN_AUDIT_CHANNEL": "hears a changed checkpoint at most every 15 minutes: a convenience, no anchor",
}
OTHER_SETTINGS: Mapping[str, str] = {
    "COUNTERSIGN_SECRETS_DIR": "a directory with one file a setting, named after it",
    "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY": "see above",
}

_BY_GROUP: Mapping[str, Mapping[str, str]] = {
    "request": {
        "filed": "somebody of a provider asked", "refused": "the worker refused it at filing", "asked": "an approver asked a question",
        "answered": "the requester answered it", "recommended": "a lead recommended or advised against", "passed": "somebody asked had the next people asked",
        "held": "somebody pressed On it", "pushed": "the requester pressed Escalate now", "approved": "somebody said yes; one for each yes",
        "denied": "somebody said no", "withdrawn": "the requester or their lead took it back", "expired": "nobody answered in time, or the contract ended",
    },
    "step": {"fired": "a step asked, reminded or handed on", "skipped": "a step had nobody to ask"},
    "delivery": {"sent": "Slack accepted a message", "failed": "Slack did not"},
    "decision": {"refused": "a click did not count"},
    "grant": {
        "opened": "the quorum was met, or it opened at once", "extended": "more time was given", "finished": "its requester gave it back",
        "unused": "its requester did not use it", "revoked": "somebody ended it", "lapsed": "its time was over",
    },
    "evidence": {"added": "what was owed was handed in", "missing": "it was not, in time"},
    "subject": {"verified": "a method of checking the person concerned was attested"},
    "rotation": {"attested": "the shared credential was changed"},
    "executor": {"opened": "the system said that access is open", "closed": "… that it is closed", "failed": "… that it could not, or it stayed silent"},
    "operator": {"filed": "an act that two people must confirm was filed", "confirmed": "one of them confirmed", "refused": "one refused", "expired": "nobody did in time"},
    "permit": {"issued": "a permit was given"},
    "breakglass": {"opened": "access opened before the yes", "ratified": "somebody accepted responsibility", "rejected": "somebody did not", "unratified": "nobody answered in time"},
    "review": {"due": "a review was opened", "passed": "it was accepted", "flagged": "it was flagged", "overdue": "its time passed"},
    "drill": {"started": "a drill began", "reached": "somebody pressed I am here", "ended": "it was over"},
    "finding": {
        "filed": "something was escalated, or found by a reconciliation", "joined": "the same was reported again", "acknowledged": "somebody with authority took it",
        "shared": "the owner showed it to the provider's lead", "corrected": "the time of noticing was corrected", "closed": "it was settled, with what was done",
    },
    "reconciliation": {"recorded": "a list of accesses was compared with the open grants"},
    "extension": {"asked": "more time was asked for", "denied": "it was denied", "expired": "nobody answered"},
    "renewal": {"asked": "an exception was to go on", "denied": "it was denied", "expired": "nobody answered"},
    "exception": {"opened": "an exception from policy began", "renewed": "it got a later day", "passed": "its contract ended, and the owner took it over", "overdue": "who took it over did not close or re-file it", "ended": "it was over"},
    "right": {"begun": "a right without prior consent is under review", "kept": "it was kept", "narrowed": "it was narrowed", "withdrawn": "it was withdrawn", "ended": "the policy gives it no more"},
    "provider": {"suspended": "everything of a provider stopped", "resumed": "an owner lifted it", "ended": "its contract ended, or was ended"},
    "campaign": {"opened": "an owner's review of rights began", "closed": "it ended, with its result"},
    "authority": {"suspended": "somebody's credential was reset", "spared": "the last who can decide kept their authority", "overdue": "nobody restored it", "restored": "another person did"},
    "roster": {"attested": "a lead confirmed who may ask"},
    "sealed_use": {"recorded": "the organisation's own sealed path was used"},
    "absence": {"set": "somebody is away", "cleared": "they are back"},
    "policy": {"loaded": "a policy set was taken up", "endorsed": "an owner signed for a change of the passkeys", "rejected": "a faulty one was not"},
    "domain": {"handed_over": "a domain changed hands on its day", "vacant": "nobody owns it"},
    "matrix": {"confirmed": "an owner agreed to rows", "acknowledged": "a lead did", "disputed": "somebody disputed one", "overdue": "nobody answered in time"},
    "privacy": {"erased": "what the log disclosed about somebody was erased"},
    "hold": {"placed": "something may not be erased", "released": "it may again"},
    "log": {"opened": "the log began", "verified": "it was checked whole", "exported": "evidence was written", "pruned": "old entries lost their bytes", "epoch_started": "a stopped log went on under a new name", "key_rotated": "it signs with another key"},
    "clock": {"anomaly": "the clock jumped, or somebody accepted it"},
}  # fmt: skip
ENTRIES: Mapping[str, str] = {
    f"{group}.{name}": words for group, names in _BY_GROUP.items() for name, words in names.items()
}
