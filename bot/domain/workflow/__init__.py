"""One file for each thing that people or the clock do."""
