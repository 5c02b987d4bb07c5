-- Who owned each domain with dated owners when this program looked last; empty: nobody. A hand-over is found by comparing.
CREATE TABLE domain_owner (
  domain TEXT PRIMARY KEY,
  owner TEXT NOT NULL
) STRICT;
