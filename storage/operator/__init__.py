"""Acts of an operator and holds as rows; erasure and pruning, which change what the log discloses."""
