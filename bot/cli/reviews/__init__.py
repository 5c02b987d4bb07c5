"""`countersign reviews`: the command, and how reviews are printed."""
