"""A real trial: its log, read and checked, and a simulated trial cut on a day as one.

`columns` documents the sheets; `mapping` is a site's own names and codes; `sheets` takes a workbook or a folder of
CSVs apart into `cells`, which `reading` makes a `Log` of, unless `checks` find what cannot be. `simulated` reads what
the simulator's own tables say in other columns. `cut` makes a log of a simulated trial, and `writing` its rows, which
`escalate.export` puts into files. openpyxl is loaded when a workbook is read, and not before. Pages, figures and the
command line come in from above; nothing here draws or prints.
"""

from .cut import log_of
from .reading import read_log

__all__ = ["log_of", "read_log"]
