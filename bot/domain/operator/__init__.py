"""What an operator may do: dual control, erasure, a new epoch."""
