"""What the use cases ask of the outside: commands and store."""
