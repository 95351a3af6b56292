"""How many trials are simulated where nobody says it: as many as a person waits for.

Known before anything is loaded, so that the help is quick.
"""

TRIALS = 10_000
"""Of one scenario, and of each of those that are compared: a probability is then known to half a point or so."""

TRIALS_EACH = 2_000
"""At each point of a sweep and each end of an assumption: there are many of them, on the same patients."""

TRIALS_RECORDED = 1_000
"""Of an accrual: each is told with all its records, which takes ten times as long and more."""
