"""From a registry record to a draft scenario that a person completes.

::

    draft            the draft as commented TOML
    ├── record           the fields of the record, whatever it lacks
    ├── doses            dose levels in its prose
    └── lymphodepletion  agents, amounts and days in its prose
        └── prose            how the prose is spelled

What the record states becomes a fact with its source; all else is marked as an assumption, never guessed in silence.
The command line comes in by `draft_scenario`. No trial is known here: what leaves this room is text, which `scenario`
reads like any other file.
"""

from .draft import draft_scenario

__all__ = ["draft_scenario"]
