"""Metrics for Prometheus. No label contains a person, a request or anybody's text.

Counters count what was committed, never what was tried: one hook runs after each commit. Queue lengths are read from the
database at each scrape. Every label that is not a constant of ours is a short lower-case word, or `other`.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from itertools import zip_longest

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from bot import __version__
from bot.clock import Clock
from bot.domain.case.ask import Step
from bot.domain.case.model import Case
from bot.domain.case.transition import LogEvent, Transition
from bot.domain.governance.weekly import counted
from bot.ports.records import Backlog, Lateness, Waiting

_WORD = re.compile(r"[a-z][a-z_]{0,39}|(?:status|http)_[1-5][0-9]{2}")
_METHOD = re.compile(r"[a-z]{1,20}(\.[a-zA-Z]{1,30}){1,3}")
_DECISIONS = {
    "request.approved": "approve", "request.denied": "deny", "request.withdrawn": "withdraw",
    "finding.acknowledged": "acknowledge", "finding.closed": "close",
}  # fmt: skip
_STEPS = {"step.fired": "fired", "step.skipped": "skipped"}
_LATENESS = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60, 300, 3600)
_ACK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3)
_WORK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60)
_UNKNOWN = float("nan")


def word(text: object) -> str:
    """A label: the text if it is a short lower-case word, else `other`."""
    return text if isinstance(text, str) and _WORD.fullmatch(text) else "other"


class Metrics:
    """One for each process, with a registry of its own. The methods are the hooks that parts call."""

    def __init__(self, clock: Clock, leadership: Callable[[], tuple[bool, int]] = lambda: (True, 0)) -> None:
        """`leadership`: whether this process leads, and how often one began to."""
        self._clock, self._leadership, self.registry = clock, leadership, CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._count_acts()
        self._count_work()
        self._count_slack()
        self._gauge_waiting()

    def _count_acts(self) -> None:
        r = self.registry
        self._requests = Counter(
            "countersign_requests", "Requests by what became of them.", ["kind", "outcome"], registry=r
        )
        self._grants = Counter("countersign_grants", "Grants by what became of them.", ["outcome"], registry=r)
        self._decisions = Counter("countersign_decisions", "Clicks that counted.", ["decision"], registry=r)
        self._refused = Counter("countersign_refused_clicks", "Clicks that did not.", ["action", "why"], registry=r)
        self._governance = Counter(
            "countersign_governance_messages", "Messages that ask somebody without a request: one a week each at most.",
            ["purpose"], registry=r,
        )  # fmt: skip
        self._late = Histogram(
            "countersign_step_lateness_seconds", "From a step's time to its commit.", buckets=_LATENESS, registry=r
        )
        self._expired_late = Histogram(
            "countersign_expiry_lateness_seconds", "From a deadline to its commit.", buckets=_LATENESS, registry=r
        )
        self._sweeps = Histogram("countersign_sweep_seconds", "How long a sweep took.", buckets=_ACK, registry=r)

    def _count_work(self) -> None:
        r = self.registry
        self._handled = Counter(
            "countersign_handled", "Commands that were taken in, by what became of them.", ["handler", "result"], registry=r
        )
        self._handle_seconds = Histogram(
            "countersign_handle_seconds", "From taking a command in to its commit.", ["handler"], buckets=_WORK, registry=r
        )
        self._database = Histogram(
            "countersign_database_seconds", "How long a transaction took, its turn included.", ["operation"], buckets=_ACK,
            registry=r,
        )  # fmt: skip
        self._steps = Counter(
            "countersign_steps", "Escalation steps by what became of them.", ["role", "outcome"], registry=r
        )

    def _count_slack(self) -> None:
        r = self.registry
        self._calls = Counter("countersign_slack_calls", "Calls to Slack.", ["method", "result"], registry=r)
        self._call_seconds = Histogram("countersign_slack_call_seconds", "How long Slack took.", registry=r)
        self._deliveries = Counter("countersign_deliveries", "What Slack brought.", ["kind", "outcome"], registry=r)
        self._acks = Histogram(
            "countersign_ack_seconds", "From delivery to acknowledgement.", ["kind"], buckets=_ACK, registry=r
        )

    def _gauge_waiting(self) -> None:
        r = self.registry
        self._waiting = Gauge("countersign_waiting", "What waits, by place.", ["place"], registry=r)
        self._oldest = Gauge("countersign_oldest_seconds", "How long the oldest has waited.", ["place"], registry=r)
        self._overdue = Gauge("countersign_overdue_asks", "Open questions past their deadline.", registry=r)
        self._unswept = Gauge("countersign_sweep_lateness_seconds", "The oldest deadline without a sweep.", registry=r)
        self._unsent = Gauge("countersign_urgent_age_seconds", "The oldest emergency message unsent.", registry=r)
        self._trusted = Gauge("countersign_clock_trusted", "Whether the clock has not jumped.", registry=r)
        self._lost = Gauge("countersign_calendars_lost", "Rotas whose calendar cannot be used any more.", registry=r)
        self._log = Gauge("countersign_log_entries", "Entries of the decision log.", registry=r)
        self._signed = Gauge("countersign_signed_entries", "Entries that a signed checkpoint covers.", registry=r)
        self._asks = Gauge("countersign_open_asks", "Open questions.", ["kind"], registry=r)
        self._ask_age = Gauge(
            "countersign_oldest_ask_seconds", "How long the oldest question is open.", ["kind"], registry=r
        )
        self._leads = Gauge("countersign_leads", "Whether this process judges and sends.", registry=r)
        self._changes = Gauge("countersign_leader_changes", "How often a replica began to lead.", registry=r)
        self._readable = Gauge("countersign_database_readable", "Whether the numbers above are known.", registry=r)
        self._ready = Gauge("countersign_ready", "Whether /readyz says so.", registry=r)
        self._silence = Gauge("countersign_silence_seconds", "Since a part was heard.", ["part"], registry=r)
        self._policy = Gauge("countersign_policy_info", "The policy set in force.", ["digest"], registry=r)
        build = Gauge("countersign_build_info", "This program.", ["version", "python"], registry=r)
        build.labels(__version__, platform.python_version()).set(1)

    # Hooks.

    def committed(self, act: Transition) -> None:
        """An act was committed."""
        now = self._clock.now()
        for draft in act.entries:
            self._entered(draft)
        for say in counted(act.says):
            self.asked_without_request(say.purpose, 1)
        if act.after is not None:
            self._moved(act.before, act.after, now)

    def asked_without_request(self, purpose: str, messages: int) -> None:
        """Governance messages were queued."""
        self._governance.labels(purpose).inc(messages)

    def swept(self, seconds: float, _cases: int = 0) -> None:
        """A sweep ended."""
        self._sweeps.observe(seconds)

    def handled(self, handler: str, result: str, seconds: float) -> None:
        """A command of the inbox was carried out (`done`), `put_off` or `given_up`; `seconds` since it was taken in."""
        self._handled.labels(word(handler), word(result)).inc()
        if result == "done":
            self._handle_seconds.labels(word(handler)).observe(max(0.0, seconds))

    def database(self, operation: str, seconds: float) -> None:
        """A transaction ended: `read` or `write`."""
        self._database.labels(operation).observe(seconds)

    def slack_called(self, method: str, result: str, seconds: float) -> None:
        """A call to Slack ended: `ok`, or Slack's or our name of the error."""
        self._calls.labels(method if _METHOD.fullmatch(method) else "other", word(result)).inc()
        self._call_seconds.observe(seconds)

    def delivered(self, kind: str, outcome: str, seconds: float) -> None:
        """Something from Slack was answered; the shape of `handlers.transport.http.Report`."""
        self._deliveries.labels(word(kind), word(outcome)).inc()
        if kind != "refused":
            self._acks.labels(word(kind)).observe(seconds)

    # Set at each scrape.

    def waiting(self, backlog: Backlog | None) -> None:
        """Sets the queue lengths; None if the database did not answer."""
        self._readable.set(backlog is not None)
        if backlog is None:
            self._waiting.clear()
            self._oldest.clear()
            self._asks.clear()
            self._ask_age.clear()
            self._log.set(_UNKNOWN)
            self._signed.set(_UNKNOWN)
            return
        self._log.set(backlog.log_size)
        self._signed.set(backlog.signed)
        self._asked(backlog.asks)
        lanes = {f"outbox_{lane.name.lower()}": waiting for lane, waiting in backlog.outbox.items()}
        places = {"inbox": backlog.inbox, "deadlines": backlog.due, "closings": backlog.unclosed}
        places |= {"quarantine": backlog.unreadable, **lanes}
        for place, waiting in places.items():
            self._waiting.labels(place).set(waiting.count)
            self._oldest.labels(place).set(self._age(waiting))

    def calendars(self, lost: int) -> None:
        """Sets the number of rotas that rely on their fallback because their calendar cannot be used."""
        self._lost.set(lost)

    def watched(self, late: Lateness | None) -> None:
        """Sets what the watchdog found; None if the database did not answer."""
        if late is None:
            for gauge in (self._overdue, self._unswept, self._unsent):
                gauge.set(_UNKNOWN)
            return
        self._overdue.set(sum(waiting.count for waiting in late.overdue.values()))
        self._unswept.set(self._age(Waiting(1, late.due)))
        self._unsent.set(self._age(Waiting(1, late.urgent)))

    def state(self, digest: str, silences: Mapping[str, float], *, ready: bool) -> None:
        """Sets the policy in force, the heartbeats and the readiness."""
        self._ready.set(ready)
        self._trusted.set(self._clock.jumped() is None)
        leads, changes = self._leadership()
        self._leads.set(leads)
        self._changes.set(changes)
        self._policy.clear()
        self._policy.labels(digest).set(1)
        for part, seconds in silences.items():
            self._silence.labels(part).set(seconds)

    def text(self) -> bytes:
        """Everything in Prometheus's text format."""
        return generate_latest(self.registry)

    def _age(self, waiting: Waiting) -> float:
        return 0.0 if waiting.oldest is None else max(0.0, (self._clock.now() - waiting.oldest).total_seconds())

    def _asked(self, asks: Mapping[str, Waiting]) -> None:
        self._asks.clear()
        self._ask_age.clear()
        for kind, waiting in asks.items():
            self._asks.labels(word(kind)).set(waiting.count)
            self._ask_age.labels(word(kind)).set(self._age(waiting))

    def _entered(self, draft: LogEvent) -> None:
        if draft.type in _DECISIONS:
            self._decisions.labels(_DECISIONS[draft.type]).inc()
        elif draft.type == "decision.refused":
            self._refused.labels(word(draft.data.get("action")), word(draft.data.get("why"))).inc()
        elif draft.type in _STEPS:
            self._steps.labels(word(draft.data.get("role")), _STEPS[draft.type]).inc()
        elif draft.type == "request.refused":
            self._requests.labels("other", "refused").inc()

    def _moved(self, before: Case | None, after: Case, now: datetime) -> None:
        for step in _fired(before, after):
            self._late.observe(max(0.0, (now - step.due_at).total_seconds()))
        if after.request.drill is not None:
            return  # a drill is no request
        kind, state = word(after.request.kind), after.request.state
        if before is None:
            self._requests.labels(kind, "filed").inc()
        elif before.request.state is not state:
            self._requests.labels(kind, word(str(state))).inc()
            if state == "expired":
                self._expired_late.observe(max(0.0, (now - after.approval.expires_at).total_seconds()))
        if after.grant is not None and (before is None or before.grant is None or before.grant.state != after.grant.state):
            self._grants.labels(word(str(after.grant.state))).inc()


def _fired(before: Case | None, after: Case) -> Iterator[Step]:
    """The steps that this act fired; one that was pulled forward counts, and is never late."""
    for was, ask in zip_longest(before.asks if before else (), after.asks):
        for old, step in zip_longest(was.steps if was else (), ask.steps):
            if step.state == "fired" and (old is None or old.state == "waiting"):
                yield step
