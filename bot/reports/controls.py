"""The controls of governance.md: which records map to each, how many there are, and what they do not show. No conclusions.

Evidence records E1 to E12 are the numbers of that page; each is counted from the rows of the pack's files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Framework = Literal["csf", "iso27001", "soc2", "pci", "nhi", "maestro"]
COLUMNS = ("framework", "control", "demand", "evidence", "records", "missing", "missing_records", "not_shown")
EVIDENCE: Mapping[str, tuple[str, tuple[str, ...]]] = {  # what it is, and the files whose rows are counted
    "E1": ("requests", ("requests",)),
    "E2": ("decisions", ("decisions",)),
    "E3": ("escalations", ("escalations",)),
    "E4": ("deliveries", ("deliveries",)),
    "E5": ("grants and their ends", ("grants",)),
    "E6": ("reviews after use", ("reviews",)),
    "E7": ("evidence handed in and rotations attested", ("evidence",)),
    "E8": ("drills", ("drills",)),
    "E9": ("the responsibility matrix and its agreement", ("policy_sets", "agreements")),
    "E10": ("the exception register", ("exceptions",)),
    "E11": ("signed checkpoints", ("checkpoints",)),
    "E12": ("health: log, clock, operator acts", ("health", "operator_acts")),
    "R": ("refusals", ("refusals",)),
}


@dataclass(frozen=True, slots=True)
class Control:
    """One demand. `evidence` are keys of EVIDENCE; `not_shown` is what the pack cannot show about it."""

    framework: str
    control: str
    demand: str
    evidence: tuple[str, ...]
    not_shown: str


_SYSTEMS = "the accounts and sessions in the target systems"
CONTROLS: Sequence[Control] = (
    Control("csf", "GV.RM-01", "Risk objectives are agreed", ("E9",), "objectives kept outside the policy files"),
    Control("csf", "GV.RM-02", "Risk appetite is stated", ("E9", "E10"), "appetite stated outside the policy files"),
    Control("csf", "GV.RM-05", "Lines of communication include suppliers", ("E2", "E3", "R"), "conversations outside Slack"),
    Control("csf", "GV.RR-01", "Leadership is accountable", ("E9",), "the board's own records"),
    Control("csf", "GV.RR-02", "Roles and authority are set and enforced", ("E9", "R"), "roles in the target systems"),
    Control("csf", "GV.SC-02", "Supplier roles are agreed", ("E9",), "the contract itself"),
    Control("csf", "GV.SC-05", "Supplier requirements are in contracts", ("E9", "E1"), "the contract itself"),
    Control("csf", "GV.SC-07", "Supplier risk is monitored", ("E1", "E2", "E6"), "the supplier's own telemetry"),
    Control("csf", "GV.SC-08", "Suppliers take part in incidents", ("E1", "E3", "E8"), "work done outside the requests"),
    Control("csf", "GV.SC-10", "Exit is planned", ("E5", "E9"), "what the supplier keeps"),
    Control("csf", "PR.AA-01", "Identities are managed", ("E1", "E9"), _SYSTEMS),
    Control("csf", "PR.AA-02", "Identities are proofed", ("E1", "E7"), "the proof itself: its attestation only"),
    Control("csf", "PR.AA-03", "Users are authenticated", ("E2",), "Slack's own sign-in"),
    Control("csf", "PR.AA-05", "Least privilege and separation of duties", ("E2", "E5", "E9", "R"), _SYSTEMS),
    Control("csf", "PR.PS-04", "Logs are generated", ("E11", "E12"), "logs of the target systems"),
    Control("csf", "RS.MA-04", "Incidents are escalated", ("E3", "E4"), "escalation outside this tool"),
    Control("iso27001", "A.5.2", "Roles and responsibilities", ("E9",), "roles outside the matrix"),
    Control("iso27001", "A.5.3", "Segregation of duties", ("E2", "R"), "duties in the target systems"),
    Control("iso27001", "A.5.15", "Access control", ("E1", "E2"), _SYSTEMS),
    Control("iso27001", "A.5.16", "Identity management", ("E1",), "the life cycle of accounts"),
    Control("iso27001", "A.5.17", "Authentication information", ("E1", "E7"), "the credentials themselves"),
    Control("iso27001", "A.5.18", "Access rights", ("E2", "E5", "E6"), _SYSTEMS),
    Control("iso27001", "A.5.19", "Supplier relationships", ("E9", "E1"), "the contract itself"),
    Control("iso27001", "A.5.20", "Supplier agreements", ("E9",), "the contract itself"),
    Control("iso27001", "A.5.21", "ICT supply chain", ("E9", "E1"), "suppliers of the supplier"),
    Control("iso27001", "A.5.22", "Monitoring of supplier services", ("E1", "E2", "E6"), "the supplier's own telemetry"),
    Control("iso27001", "A.5.23", "Cloud services", ("E1", "E9"), "configuration of the cloud services"),
    Control("iso27001", "A.5.28", "Collection of evidence", ("E7", "E11"), "the content of recordings"),
    Control("iso27001", "A.5.33", "Protection of records", ("E11", "E12"), "records outside this log"),
    Control("iso27001", "A.8.2", "Privileged access rights", ("E1", "E2", "E5"), _SYSTEMS),
    Control("iso27001", "A.8.15", "Logging", ("E11",), "logs of the target systems"),
    Control("iso27001", "A.8.16", "Monitoring activities", ("E4", "E12"), "monitoring of the target systems"),
    Control("iso27001", "A.8.17", "Clock synchronisation", ("E12",), "the clock's source"),
    Control("soc2", "CC6.1", "Access is authorised first", ("E1", "E2"), _SYSTEMS),
    Control("soc2", "CC6.2", "Access is granted on authorisation and removed", ("E1", "E2", "E5"), _SYSTEMS),
    Control("soc2", "CC6.3", "Access is removed in time", ("E5",), _SYSTEMS),
    Control("soc2", "CC7.2", "Anomalies are detected", ("R", "E12"), "detection in the target systems"),
    Control("soc2", "CC7.3", "Events are evaluated", ("E6", "R"), "evaluation outside this tool"),
    Control("soc2", "CC7.4", "Incidents are responded to", ("E1", "E3"), "the response itself"),
    Control("soc2", "CC9.2", "Vendors are managed", ("E9", "E1", "E5"), "the vendor's own controls"),
    Control("pci", "7.2.4", "Access is reviewed", ("E6", "E9"), "partial: not the accounts in the target systems"),
    Control("pci", "8.2.2", "Shared accounts by exception only", ("E1", "E7"), "partial: who else knew a shared credential"),
    Control("pci", "8.2.7", "Third-party access is limited in time", ("E5",), "partial: not the sessions in the target systems"),
    Control("pci", "8.3.3", "Identity is verified before a factor changes", ("E1", "E7"), "partial: an attestation, not the proof"),
    Control("pci", "10.3.4", "Audit logs are protected from change", ("E11",), "logs of the target systems"),
    Control("pci", "10.5.1", "A year of audit log", ("E11", "E12"), "logs of the target systems"),
    Control("pci", "12.3.2", "Exceptions with a risk analysis", ("E10",), "the analysis beyond the form's fields"),
    Control("pci", "12.8", "Service providers are managed", ("E9", "E1"), "the contract itself"),
    Control("nhi", "NHI1", "Improper offboarding", ("E5", "E9"), "identities that nobody asked for here"),
    Control("nhi", "NHI2", "Secret leakage", ("E1", "E7"), "where secrets are kept"),
    Control("nhi", "NHI5", "Overprivileged identities", ("E1", "E2", "E6"), _SYSTEMS),
    Control("nhi", "NHI7", "Long-lived secrets", ("E7", "E10"), "the age of each secret"),
    Control("nhi", "NHI9", "Reuse of identities", ("E1",), "use outside the requests"),
    Control("nhi", "NHI10", "Human use of machine identities", ("E1", "E2"), _SYSTEMS),
    Control("maestro", "Decision boundary", "An agent may ask and never decides", ("E2", "R", "E11"), "decisions outside this tool"),
    Control("nist80053", "AC-2", "Emergency accounts are removed in time", ("E5",), _SYSTEMS),
    Control("nist80053", "AC-3(2)", "Dual authorisation", ("E2",), "dual control in the target systems"),
    Control("nist80053", "AC-3(10)", "Audited override", ("E1", "E6"), "the organisation's own sealed path, unless recorded"),
    Control("nist80053", "AC-5", "Separation of duties", ("E9", "R"), "duties in the target systems"),
    Control("nist80053", "AU-10", "Non-repudiation", ("E2", "E11"), "who held a Slack session, where no decision is signed"),
    Control("nist80053", "CA-5", "Plan of action", ("E10",), "plans outside the register"),
    Control("nist80053", "CP-4", "Drills", ("E8",), "exercises outside this tool"),
    Control("nist80053", "IA-12", "Proof of identity", ("E1", "E7"), "the proof itself: its attestation only"),
    Control("hipaa", "164.312(a)(2)(ii)", "An emergency access procedure", ("E1", "E8"), "procedures outside this tool"),
    Control("hipaa", "164.312(b)", "Audit controls", ("E11", "E12"), "logs of the target systems"),
    Control("dora", "Art. 28-30", "The entity stays responsible", ("E9", "E5"), "the contract itself"),
    Control("nis2", "Art. 21(2)(d)(i)(j)", "Third-party access is limited", ("E9", "E5", "E10"), _SYSTEMS),
)  # fmt: skip


def rows(counts: Mapping[str, int], framework: str | None) -> list[dict[str, Any]]:
    """Each control with the number of records that map to it; `counts` are the rows of the pack's files."""
    return [_row(control, counts) for control in CONTROLS if framework in (None, control.framework)]


def _row(control: Control, counts: Mapping[str, int]) -> dict[str, Any]:
    found = {key: sum(counts.get(file, 0) for file in EVIDENCE[key][1]) for key in control.evidence}
    missing = [key for key, count in found.items() if not count]
    return {
        "framework": control.framework, "control": control.control, "demand": control.demand,
        "evidence": "; ".join(f"{key} {EVIDENCE[key][0]}: {found[key]}" for key in control.evidence),
        "records": sum(found.values()),
        "missing": "; ".join(f"{key} {EVIDENCE[key][0]}" for key in missing), "missing_records": len(missing),
        "not_shown": control.not_shown,
    }  # fmt: skip
