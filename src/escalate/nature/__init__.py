"""What nature draws: who comes and when, and what would happen to each patient at each dose.

`streams` is the scheme of random numbers, which cannot be changed without changing every result; `candidates` draws who
comes, and who fails screening: `at_site` for each site, `merged` in one order; `patients` what happens to those who are
enrolled; `draws` puts them together for a chunk of trials, `given` for one of which a log is the beginning; `sameness`
says which of it is the same in two scenarios. Patients exist before doses; nothing here knows a rule. The trial, the
kernel, exact results and studies come in.
"""
