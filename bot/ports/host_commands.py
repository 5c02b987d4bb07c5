"""What a host hands to the replica that leads, through the inbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.domain.policy.people import Person

HOST = Person("", "host")  # in whose name the inbox keeps it: nobody's at Slack


@dataclass(frozen=True, slots=True)
class ActOnHost:
    """What a command on a host, or the emergency file of a replica, wants carried out: `line` holds the act and a signature of
    the log's key (`bot.decision_log.host_acts`). `late`: a line of an emergency file, of whose messages those at `unsent`
    (positions) were not sent."""

    person: Person
    line: str
    late: bool = False
    unsent: tuple[int, ...] = ()
    kind: Literal["host"] = "host"
