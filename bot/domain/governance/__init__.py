"""What stands between the decisions: the matrix that owners agree to, and what a change of it says."""
