"""Who may decide: authorization, quorum, policy rollout, person lookup."""
