"""Every dose path with its probability, without simulating.

`enumeration` gives exact operating characteristics of rules that wait for complete data, `paths` the dose paths one by
one; `one_by_one` and `any_calendar` say what early decisions change of a recommendation. They share nothing with the
trial and the kernel but committee and rules, so that both must agree: keep it so. Comparisons, figures and the command
line come in by `exact` and `dose_paths`; `NotCoveredError` says why a scenario has no exact results.
"""
