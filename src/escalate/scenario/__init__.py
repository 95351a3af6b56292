"""Protocol and assumptions, from a scenario file."""

from .load import load
from .model import Scenario
from .sources import Assumption, ledger

__all__ = ["Assumption", "Scenario", "ledger", "load"]
