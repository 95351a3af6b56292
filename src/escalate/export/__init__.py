"""Results as files: a folder appears whole or not at all, and nothing is overwritten unless asked.

There is a file for each kind of result: what its folder holds, and how it saves itself, registered at
`escalate.files.write_result`. `parts` holds what several folders have in common, `figures` how a figure becomes files,
`sheets` and `workbook` how a result becomes one workbook.
The command line and notebooks come in by the names here; results that save themselves load this room when the first is
saved.
"""

from ..results.stored import write_columns
from . import records as records
from .accrual import write_accrual
from .comparison import write_comparison
from .exact import write_exact
from .log import template_workbook, write_log
from .sensitivity import write_sensitivity
from .simulation import run
from .sweep import write_sweep_figure
from .table import write_table
from .trial import write_trial
from .variants import write_variants

__all__ = [
    "run",
    "template_workbook",
    "write_accrual",
    "write_columns",
    "write_comparison",
    "write_exact",
    "write_log",
    "write_sensitivity",
    "write_sweep_figure",
    "write_table",
    "write_trial",
    "write_variants",
]
