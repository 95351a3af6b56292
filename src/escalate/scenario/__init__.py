"""A scenario: protocol and assumptions, from a file, from Python or from another process, checked however it is made.

From the bottom up: plain and frozen `values`; the words of faults (`fault_words`) and what every `section` is; the
sections themselves (`protocol`, `policies`, `rules`, `nature`), what follows from them (`open_days`, and `sites` with
the `intensity` at which candidates come) and `checks` between them; `places` in a scenario,
`changes` to it and its `toml_text`; what makes it a `whole`, and the `model`. Above it stand reading (`load`, with
`texts`), the ledger of `sources`, what is `compared` (rules and truths, or `variants` of a scenario) and in what
scenarios have `differences`, the list of `keys` (with `examples.toml`), what the `command_line` changes, and the words
for what `drivers` a result has.
pydantic is imported in this room alone. Anybody may come in for `Scenario`; a new key is a line in its section, a new
check a function in `checks`.
"""

from .load import key_fault, load, read_scenario_file
from .model import Scenario
from .sources import Assumption, ledger

__all__ = ["Assumption", "Scenario", "key_fault", "ledger", "load", "read_scenario_file"]
