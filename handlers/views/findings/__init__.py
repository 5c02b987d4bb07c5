"""What people see of a finding: cards, receipt and copies, and the forms. Its facts are in `handlers.views.kit.finding`."""
