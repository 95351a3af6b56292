"""From a registry record to a draft scenario that a person completes.

::

    draft            the draft as commented TOML
    ├── record           the fields of the record, whatever it lacks
    ├── doses            dose levels in its prose
    └── lymphodepletion  agents, amounts and days in its prose
        └── prose            how the prose is spelled
"""

from .draft import draft_scenario

__all__ = ["draft_scenario"]
