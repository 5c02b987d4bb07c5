"""Everything that speaks Slack. In: `payloads`, `commands`, `actions`, `submissions`. Out: `views` (pure), `messenger`."""
