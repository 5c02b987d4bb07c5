"""Says in one sentence what is missing before anything is installed. Runs on any Python 3."""

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "Countersign needs Python 3.11 or newer; this is %d.%d. Install one and run: make PYTHON=python3.11 demo"
        % sys.version_info[:2]
    )
try:
    import ensurepip  # noqa: F401
    import venv  # noqa: F401
except ImportError:
    sys.exit(
        "Python's venv module is missing. On Debian or Ubuntu: sudo apt-get install python3-venv. Then run make again."
    )
