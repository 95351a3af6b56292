"""What is known of trials that are over: where the time went, what is kept of many, and what many say.

`timeline` says what each day of a trial was waiting for, `outcomes` what is kept of each of many trials, `tally` how
often each value came, and `estimates` the operating characteristics with their Monte Carlo errors: every number of a
summary, a figure or a file begins there; `stored` reads trials back. Studies and the kernel fill `Trials`; reports,
figures and `export` come in to read. Nothing is simulated here, and no rule is known.
"""
