"""``python -m escalate`` is the command ``escalate``."""

import sys

from .cli import main

sys.exit(main())
