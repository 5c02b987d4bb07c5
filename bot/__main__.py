"""`python -m bot` is `countersign`."""

from bot.cli.main import main

main()
