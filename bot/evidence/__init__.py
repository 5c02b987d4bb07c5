"""What an outsider gets, and how they check it: exports of the log, their verification, the auditor's page."""
