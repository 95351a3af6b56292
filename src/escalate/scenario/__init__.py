"""Protocol and assumptions, from a scenario file."""

from .load import key_fault, load
from .model import Scenario
from .sources import Assumption, ledger

__all__ = ["Assumption", "Scenario", "key_fault", "ledger", "load"]
