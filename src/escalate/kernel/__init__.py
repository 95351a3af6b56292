"""The same trial as `escalate.trial`, for millions of them: the calendar as plain steps over whole numbers.

`engine.Engine(scenario).run(nature)` is the door; nobody outside needs more than that and `engine.is_worth_compiling`.
Every function is plain sequential code on whole numbers, which runs as it is, or compiled; the tests hold both to be
the trials of SimPy, date by date. In all of them ``p`` is the `Protocol`, ``w`` the trial's `Bench`, ``t`` the `Tables`
on it. How a trial passes through, in what order to read, and the room's own words: README.md beside this file.
"""
