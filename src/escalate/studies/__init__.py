"""Many trials: simulated, compared, swept over a grid, pushed from end to end of an assumption's range.

`simulation` runs them in `chunks`, by this process or by others (`workers`), `crew` hires every core where that pays;
`parts` keeps what came of each in a folder, for shards of a job array and a merge; `comparison` puts rules under truths
on the same patients, whose trials `pairs` counts, of which `measures` says what is compared and `compared` what is
found; `variants` puts scenarios on the same random numbers (`medians` has the error of a difference of medians), and
`stored` tells in what two folders of results differ; `control` holds simulated trials against exact values, where both
are of the same; `accruals` counts patients by date; `study` and `sweeps` take a study file's points, `sensitivities`
each assumption's range. No result depends on chunks or workers: keep it so. Progress bars and Dask live in this room
alone. Reports, figures, `export`, the command line and notebooks come in.
"""
