"""Judges whether a runbook's `approvals` and `requires` can be met by its domain; the counting is `reach`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.domain.policy.model import Domain, Role
from bot.domain.policy.people import Humans
from bot.domain.policy.rota import Rota
from runbooks.parsing.parsed_file import ParsedFile
from runbooks.parsing.runbook_schema import RunbookShape
from runbooks.parsing.yaml_positions import Path
from runbooks.rules.quorum_reach import circle, minute_zero, possible_approvers


def check_quorum(
    sheet: ParsedFile,
    shape: RunbookShape,
    roles: Sequence[Role],
    domain: Domain,
    rotas: Mapping[str, Rota],
    humans: Humans,
) -> None:
    """Reports the first reason why the quorum cannot be reached: too few asked for, too few people, too few at once."""
    approvals, path = shape.approvals or 1, _place(shape)
    around = circle(domain, rotas, humans)
    rota = rotas.get(domain.on_call or "")
    everybody = possible_approvers(around, {humans.key(person) for person in rota.people} if rota else ())
    if roles and approvals < len(roles) + 1:
        because = "`risk: high` requires" if not shape.requires else "`requires` names"
        sheet.error(
            path,
            f"{because} {', '.join(roles)} beside the owner or a deputy, so {approvals} approval is too few: write "
            f"`approvals: {len(roles) + 1}` or more.",
        )
    elif everybody < approvals:
        sheet.error(
            path,
            f"{approvals} approvals are asked for and domain `{domain.id}` has {everybody} possible approvers: "
            "name more people there, or lower `approvals`.",
        )
    else:
        _at_once(sheet, shape, minute_zero(around, shape.right or "approval", roles, approvals), path)


def _at_once(sheet: ParsedFile, shape: RunbookShape, reached: tuple[int, int], path: Path) -> None:
    good, choices = reached
    if good == 0:
        sheet.error(
            path,
            f"Those asked at minute 0 cannot give {shape.approvals or 1} approvals, each required role by a person of "
            f"its own: name another deputy in domain `{shape.domain}`, or ask for less.",
        )
    elif good < choices:
        sheet.warning(
            path,
            f"With {choices - good} of the {choices} who may be on call, those asked at minute 0 cannot give "
            f"{shape.approvals or 1} approvals: name another deputy in domain `{shape.domain}`.",
        )


def _place(shape: RunbookShape) -> Path:
    for key in ("approvals", "requires", "risk"):
        if key in shape.model_fields_set:
            return (key,)
    return ("domain",)
