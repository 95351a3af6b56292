"""Protocol and assumptions, from a scenario file to a frozen value that is valid and stays so.

`model` has a class for each section and a field for each key, with its unit in its name and its meaning beside it:
errors, the JSON Schema and the list of keys (`keys`, with `examples.toml`) are made from these. `rules` and `policies`
are the sections about the rule and what goes around it, `checks` what needs several sections, `load` the way from a
file with every problem at once, `sources` and `ranges` the ledger of assumptions. Pydantic lives in this room alone.
Every room above may read a scenario; nothing here knows what a trial does with it. To add a key, begin in its section.
"""

from .load import key_fault, load
from .model import Scenario
from .sources import Assumption, ledger

__all__ = ["Assumption", "Scenario", "key_fault", "ledger", "load"]
