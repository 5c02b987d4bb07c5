"""`python -m bot` is `countersign`."""

import sys

try:
    from bot.cli.main import main
except KeyboardInterrupt:  # Ctrl-C while it is still loading
    sys.exit(130)

main()
