"""The same trial as `escalate.trial`, for millions of them: the calendar as plain steps over whole numbers.

One call of `run_trial` leads one trial to its end, or to the next question to which the committee's answer is not known
yet. Then the question is written down, the trial keeps its seat, the committee answers the questions of many trials at
once, and the trial goes on from there. A question holds no more than what its answer turns on (`questions`), so that
few are asked whatever the number of trials.

The days and their order are those of `escalate.trial`, and the tests hold both to be the same, trial by trial and date
by date. What differs is how time passes: from one day on which something happens to the next, phase after phase; and
what needs no decision (who fails screening, follow-up after the window) is counted at the end.

Every function is plain sequential code on whole numbers, so that it runs as it is, or compiled (`compiled`).
In all of them ``p`` is the `Protocol`, ``w`` the trial's `Bench`, ``t`` the `Tables` on it. Read `days` first.
"""
