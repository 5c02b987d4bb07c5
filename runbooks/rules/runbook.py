"""Runbooks: what may be asked for, and whether everything it leans on is there.

A key is refused where its kind or right has no use for it: a `finding` asks for no access, so it has a ladder and
neither right, duration nor approvals. `risk: high` asks for the risk owner's yes. With
`requires`, `approvals` is at least the number of required roles plus one. Everything but `autonomous` names an
escalation policy, and an emergency never waits for working hours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bot.domain.policy.model import BreakGlass, Domain, EscalationPolicy, Executor, FieldSpec, NamedPerson, Role, Runbook
from bot.domain.policy.people import Person
from bot.domain.policy.rota import Rota
from bot.domain.policy.signing import Signing
from runbooks.parsing.findings import did_you_mean, listed
from runbooks.parsing.frontmatter import RunbookParts
from runbooks.parsing.parsed_file import ParsedFile
from runbooks.parsing.runbook_schema import ASKS_FOR_ACCESS, FINDING, NOT_FOR_FINDINGS, RunbookShape
from runbooks.parsing.schema import MatrixShape
from runbooks.parsing.units import limit, seconds, seconds_or_none
from runbooks.parsing.yaml_positions import Path
from runbooks.rules.escalation import check_roles, has_role
from runbooks.rules.form_fields import read_fields
from runbooks.rules.governance import narrows
from runbooks.rules.people import Parties
from runbooks.rules.quorum import check_quorum
from runbooks.rules.quorum_reach import circle
from runbooks.rules.signing import check_signature, ever_asked
from runbooks.rules.targets import read_targets

MAX_BODY = 11_000
_UNSEEN = frozenset({*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)} - {0x09, 0x0A})


@dataclass(frozen=True, slots=True)
class RunbookContext:
    """What the matrix offers to runbooks, and the files of the set."""

    parties: Parties
    people: tuple[NamedPerson, ...]
    auditors: tuple[Person, ...]
    domains: Mapping[str, Domain]
    rotas: Mapping[str, Rota]
    ladders: Mapping[str, EscalationPolicy]
    files: Mapping[str, bytes]
    signing: Signing | None = None

    def knows(self, section: str, name: str, known: Mapping[str, object], sheet: ParsedFile, path: Path) -> bool:
        """Whether a reference holds; one to nothing is reported, one to a broken thing was reported before."""
        matrix = self.parties.matrix
        written = matrix.written(section)
        if name not in written and not matrix.is_broken(section, ""):
            guess = did_you_mean(name, written)
            sheet.error(path, f"`{name}` is not in `{section}` of the matrix: add it there or correct it.{guess}")
        return name in known


@dataclass(frozen=True, slots=True)
class Only:
    """`key` has a meaning only where `attribute` is one of `values`."""

    key: str
    attribute: str
    values: tuple[str, ...]


INCIDENT = (FieldSpec("incident_reference", "Incident reference", "text", required=True, maximum=100),)  # break-glass
EXCEPTION = (
    FieldSpec("compensating_controls", "Compensating controls", "multiline", maximum=1000,
              hint="What limits the risk while the rule is off: network, rights, monitoring"),
    FieldSpec("residual_risk", "Residual risk", "multiline", maximum=1000, hint="What can still happen, and how likely"),
)  # fmt: skip
ONLY = (
    Only("approvals", "right", ("approval", "immediate")),
    Only("requires", "right", ("approval", "immediate")),
    Only("review_every", "right", ("autonomous",)),
    Only("tell", "right", ("autonomous",)),
    Only("break_glass", "right", ("immediate",)),
    Only("risk", "kind", ("policy_exception",)),
    Only("max_renewals", "kind", ("policy_exception",)),
    Only("subject_verification", "kind", ("reset",)),
    Only("not_before", "kind", ("reset",)),
    Only("due_within", "kind", ("finding",)),
)


def read_runbook(
    sheet: ParsedFile, shape: RunbookShape, parts: RunbookParts, sha256: str, ground: RunbookContext
) -> Runbook:
    """Judges one runbook; the value is of use only when nothing was found."""
    _itself(sheet, shape, parts)
    if shape.kind == FINDING:
        _finding_keys(sheet, shape)
    else:
        _keys(sheet, shape, ground.parties.matrix.shape)
    _durations(sheet, shape)
    for key in ("requires", "evidence", "providers", "subject_verification"):
        _unique(sheet, key, getattr(shape, key) or [])
    for index, provider in enumerate(shape.providers):
        ground.knows("providers", provider, ground.parties.providers, sheet, ("providers", index))
    roles = _requires(shape)
    if ground.knows("domains", shape.domain, ground.domains, sheet, ("domain",)):
        _around(sheet, shape, roles, ground)
    elif shape.escalation:
        ground.knows("escalation_policies", shape.escalation, ground.ladders, sheet, ("escalation",))
    return _runbook(sheet, shape, roles, parts.body, sha256, ground)


def _requires(shape: RunbookShape) -> tuple[Role, ...]:
    """The required roles; a high risk requires the risk owner."""
    roles = tuple(shape.requires or ())
    return (*roles, "risk_owner") if shape.risk == "high" and "risk_owner" not in roles else roles


def _itself(sheet: ParsedFile, shape: RunbookShape, parts: RunbookParts) -> None:
    stem = sheet.file.removesuffix(".md")
    if shape.id != stem:
        sheet.error(("id",), f"`id` is {shape.id} and the file is called {stem}: make them equal.")
    if not parts.body.strip():
        sheet.report.error(sheet.file, parts.body_line, "The body is empty: write what the person is to do.")
    if len(parts.body) > MAX_BODY:
        sheet.report.error(
            sheet.file,
            parts.body_line,
            f"The body is {len(parts.body)} characters long: shorten it to at most {MAX_BODY}.",
        )
    for number, line in enumerate(parts.body.split("\n")):
        if any(ord(sign) in _UNSEEN for sign in line):
            text = "A control character, or one that turns the direction of writing, stands here: remove it."
            sheet.report.error(sheet.file, parts.body_line + number, text)


def _finding_keys(sheet: ParsedFile, shape: RunbookShape) -> None:
    """What a finding must not say, and what it must."""
    for key in NOT_FOR_FINDINGS:
        if key in shape.model_fields_set:
            sheet.error((key,), f"A finding asks for no access, so `{key}` has no meaning on it: remove it.")
    if shape.escalation is None:
        sheet.error(("kind",), "A finding is put to people at once: add `escalation`, an escalation policy of the matrix.")


def _keys(sheet: ParsedFile, shape: RunbookShape, matrix: MatrixShape) -> None:
    for key in ASKS_FOR_ACCESS:
        if getattr(shape, key) is None:
            sheet.error((key,), f"`{key}` is missing: add it.")
    for only in ONLY:
        value = getattr(shape, only.attribute)
        if only.key in shape.model_fields_set and value not in only.values:
            sheet.error(
                (only.key,),
                f"`{only.key}` has a meaning only where `{only.attribute}` is {listed(only.values)}, here it is "
                f"`{value}`: remove it.",
            )
    if shape.kind == "emergency_access" and shape.review_within is None:
        sheet.error(("kind",), "Emergency access is reviewed after use: add `review_within`, like `24h`.")
    if shape.right == "autonomous" and shape.escalation is not None and not narrows(matrix):
        sheet.warning(("escalation",), "Nobody is asked under `right: autonomous`: remove `escalation`.")
    if shape.right == "autonomous" and shape.review_every is None and matrix.review is None:
        sheet.warning(("right",), "Nobody reviews this right: add `review_every`, like `90d`.")
    if shape.break_glass is not None:
        for key in ("subject_verification", "not_before"):
            if getattr(shape, key) is not None:
                text = f"`{key}` holds back a yes and this opens without one: filing is refused until one of the two goes."
                sheet.warning((key,), text)
    if shape.right not in ("autonomous", None) and shape.escalation is None:
        sheet.error(("right",), f"`right: {shape.right}` needs `escalation`: add an escalation policy of the matrix.")


def _durations(sheet: ParsedFile, shape: RunbookShape) -> None:
    if shape.default_duration and shape.max_duration and seconds(shape.default_duration) > seconds(shape.max_duration):
        sheet.error(
            ("default_duration",),
            f"`default_duration` {shape.default_duration} is longer than `max_duration` {shape.max_duration}: shorten it.",
        )


def _unique(sheet: ParsedFile, key: str, words: list[str]) -> None:
    for index, word in enumerate(words):
        if word in words[:index]:
            sheet.error((key, index), f"`{word}` stands here a second time: remove one of them.")


def _around(sheet: ParsedFile, shape: RunbookShape, roles: tuple[Role, ...], ground: RunbookContext) -> None:
    """What the domain and the escalation policy must have for this runbook."""
    domain = ground.domains[shape.domain]
    lacking = [role for role in roles if not has_role(domain, role)]
    for role in lacking:
        listed_at = shape.requires.index(role) if shape.requires and role in shape.requires else None
        sheet.error(
            ("risk",) if listed_at is None else ("requires", listed_at),
            f"Domain `{domain.id}` has no `{role}`: add one to the domain, or do not require it.",
        )
    if shape.escalation and ground.knows("escalation_policies", shape.escalation, ground.ladders, sheet, ("escalation",)):
        ladder = ground.ladders[shape.escalation]
        check_roles(ground.parties.matrix, ladder, domain, shape.id)
        if shape.not_before and seconds(shape.not_before) >= ladder.expires_after:
            sheet.error(
                ("not_before",),
                f"`not_before` {shape.not_before} comes at or after the expiry of escalation policy `{ladder.id}`: shorten "
                "it, or raise `expires_after`.",
            )
        if ladder.hours and shape.kind in ("emergency_access", FINDING):
            what = "a finding" if shape.kind == FINDING else "an emergency"
            sheet.error(
                ("escalation",),
                f"Escalation policy `{ladder.id}` counts only working hours and {what} does not wait: choose one "
                "without `hours`.",
            )
    if shape.right != "autonomous" and not lacking:
        check_quorum(sheet, shape, roles, domain, ground.rotas, ground.parties.humans)
    if not lacking:
        around = circle(domain, ground.rotas, ground.parties.humans)
        asked = ever_asked(shape, roles, ground.ladders.get(shape.escalation or ""), around)
        check_signature(sheet, shape, roles, domain, asked, ground.people, ground.parties.humans, ground.signing)


def _fields(sheet: ParsedFile, shape: RunbookShape) -> tuple[FieldSpec, ...]:
    """The runbook's own fields, and those that a break-glass or an exception always asks for unless it asks itself.

    What limits a high risk, and what remains of it, has to be written down: the risk owner signs it.
    """
    own = read_fields(sheet, shape.fields or [])
    named = {spec.name for spec in own}
    built_in = (replace(spec, required=shape.risk == "high") for spec in EXCEPTION if shape.kind == "policy_exception")
    return (*(INCIDENT if shape.break_glass else ()), *own, *(spec for spec in built_in if spec.name not in named))


def _runbook(
    sheet: ParsedFile, shape: RunbookShape, roles: tuple[Role, ...], body: str, sha256: str, ground: RunbookContext
) -> Runbook:
    longest = seconds_or_none(shape.max_duration) or 0
    domains = ground.parties.matrix.written("domains")
    found = Runbook(
        id=shape.id,
        title=shape.title,
        kind=shape.kind,
        domain=shape.domain,
        providers=tuple(shape.providers),
        right=shape.right or "approval",
        max_duration=longest,
        default_duration=seconds_or_none(shape.default_duration) or longest,
        body=body,
        sha256=sha256,
        approvals=shape.approvals or 1,
        requires=roles,
        escalation=shape.escalation,
        audience=shape.audience or shape.id,
        fields=_fields(sheet, shape),
        targets=read_targets(sheet, shape.targets, shape.domain, domains, ground.files) if shape.targets else (),
    )
    return _with_terms(found, shape)


def _with_terms(runbook: Runbook, shape: RunbookShape) -> Runbook:
    """The runbook with what holds before, during and after the access; absent keys have their defaults."""
    glass, executor = shape.break_glass, shape.executor
    return replace(
        runbook,
        evidence=tuple(shape.evidence or ()),
        rotate_within=seconds_or_none(shape.rotate_within),
        review_within=seconds_or_none(shape.review_within),
        limit=limit(shape.limit),
        review_every=seconds_or_none(shape.review_every),
        tell=shape.tell or "daily",
        break_glass=BreakGlass(seconds(glass.ratify_within), limit(glass.quota)) if glass else None,
        risk=shape.risk or "low",
        max_renewals=2 if shape.max_renewals is None else shape.max_renewals,
        subject_verification=tuple(shape.subject_verification or ()),
        executor=Executor(executor.webhook, executor.secret) if executor else None,
        not_before=seconds_or_none(shape.not_before),
        signature=shape.signature or "none",
        due_within=seconds_or_none(shape.due_within),
    )
