"""The words of the project as frozen values, and the records that everything else reads.

Here live the data cut, the decision and the trial (`records`, `data_cut`), the tables with a documented column each
(`tables`), dose paths as text, read and written (`dose_path`), what a treatment is called (`vocabulary`), and how equal
rows of a batch are found (`distinct`).
Every room may come in; nothing here knows a rule, a calendar or a scenario. To add a column to a table of records,
begin in `tables`; its rows are made in `trial.logbook`.
"""
