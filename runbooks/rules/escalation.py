"""Escalation policies: who is asked when.

Steps are in the order of their times. The first is a `notify` at 0m, because it stands for everybody whom minute 0
asks. Every step comes before the expiry. A step may be taken for a domain only when the domain has that role.
"""

from __future__ import annotations

from bot.domain.policy.model import Domain, EscalationPolicy, PolicyStep
from runbooks.parsing.parsed_file import ParsedFile
from runbooks.parsing.schema import EscalationShape, StepShape
from runbooks.parsing.units import seconds
from runbooks.parsing.yaml_positions import Path
from runbooks.rules.matrix_salvage import Matrix
from runbooks.rules.on_call import read_hours


def read_ladders(matrix: Matrix) -> dict[str, EscalationPolicy]:
    """Escalation policies by id."""
    found: dict[str, EscalationPolicy] = {}
    for name, shape in (matrix.shape.escalation_policies or {}).items():
        path: Path = ("escalation_policies", name)
        steps = tuple(_step(step) for step in shape.steps)
        _first(matrix.sheet, steps[0], (*path, "steps", 0))
        _times(matrix.sheet, shape, (*path, "steps"))
        _sense(matrix.sheet, steps, (*path, "steps"))
        hours = read_hours(matrix.sheet, shape.hours, (*path, "hours")) if shape.hours else None
        found[name] = EscalationPolicy(name, seconds(shape.expires_after), steps, hours)
    return found


def has_role(domain: Domain, role: str) -> bool:
    """Whether the domain names anybody for this role."""
    return bool(getattr(domain, role))


def check_roles(matrix: Matrix, policy: EscalationPolicy, domain: Domain, runbook: str) -> None:
    """A step that names a role its domain lacks would ask nobody."""
    for index, step in enumerate(policy.steps):
        if not has_role(domain, step.role):
            matrix.sheet.error(
                ("escalation_policies", policy.id, "steps", index),
                f"This step names `{step.role}`, which domain `{domain.id}` of runbook `{runbook}` lacks: add "
                f"`{step.role}` to the domain, or give the runbook another escalation policy.",
            )


def _step(shape: StepShape) -> PolicyStep:
    if shape.notify is not None:
        return PolicyStep(seconds(shape.after), "notify", shape.notify, shape.page)
    assert shape.remind is not None  # the shape holds exactly one of the two
    return PolicyStep(seconds(shape.after), "remind", shape.remind, shape.page)


def _first(sheet: ParsedFile, step: PolicyStep, path: Path) -> None:
    if step.after != 0 or step.action != "notify":
        sheet.error(
            path,
            "The first step stands for minute 0, when the owner is asked: write `{after: 0m, notify: owner}` first.",
        )
    elif step.role != "owner":
        sheet.warning(path, "Minute 0 asks the owner whatever this step says: write `notify: owner` here.")


def _times(sheet: ParsedFile, shape: EscalationShape, path: Path) -> None:
    latest, written = 0, "0m"
    for index, step in enumerate(shape.steps):
        here: Path = (*path, index)
        after = seconds(step.after)
        if after < latest:
            sheet.error(here, f"This step at {step.after} stands after the one at {written}: put steps in order.")
        if after >= seconds(shape.expires_after):
            sheet.error(
                here,
                f"This step at {step.after} would come at or after the expiry at {shape.expires_after}: make it "
                "earlier, or raise `expires_after`.",
            )
        if after >= latest:
            latest, written = after, step.after


def _sense(sheet: ParsedFile, steps: tuple[PolicyStep, ...], path: Path) -> None:
    """Steps that could do nothing."""
    for index, step in enumerate(steps):
        here: Path = (*path, index)
        before = steps[:index]
        same = [s for s in before if (s.action, s.role) == (step.action, step.role)]
        if any(s.after == step.after for s in same):
            sheet.error(here, "This step stands here a second time: remove one of them.")
        elif step.action == "notify" and step.role in ("owner", "risk_owner", "deputies") and same:
            sheet.warning(here, f"`{step.role}` were asked before, this step adds nobody: write `remind`.")
        elif step.action == "remind" and step.after == 0:
            sheet.error(here, "A reminder at 0m reminds of nothing: give it a later time.")
        elif step.action == "remind" and not any(s.role == step.role for s in before):
            sheet.warning(here, f"`{step.role}` may not have been asked yet: put a `notify` before this reminder.")
