"""One trial in SimPy, on its calendar of whole days: the only room that SimPy enters.

`conduct` tells the trial as the protocol reads, one generator per actor; `places` says who starts, `gates` when;
`census` who is where, and what a committee can see; `calendar` the order of one day; `logbook` what is written down.
Whoever wants a trial calls `simulate_trial` in `conduct`, and for many `run_together` in `together`; `resumed` is a
trial of which a log is the beginning, `standing` says where one stands. The kernel shares the weekdays of `calendar`
and nothing else.
"""
