"""From a data cut to a decision: the rule as the protocol applies it.

`protocol` puts titration, limits and stopping rules around a rule, each with its own reason; `committee` applies cohort
size and cap, and says whether a decision is forced before all outcomes are known; `walk` puts a dose path before it,
cohort by cohort. All are pure: no calendar, no randomness. So an answer can be remembered by what was asked (`memory`),
and what is remembered is shared by scenarios with the same protocol (`remembered`). The trial, the kernel, exact
results and tables come in here, and decide nothing by themselves.
"""
