"""`countersign log export`: the command, its days, and the database that commands of the log read."""
