"""`countersign matrix`: the responsibility matrix in every form, and what changed between two of them."""
