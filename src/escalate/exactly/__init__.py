"""Every dose path with its probability, without simulating.

`enumeration` gives exact operating characteristics of rules that wait for complete data, `paths` the dose paths one by
one. They share nothing with the trial and the kernel but committee and rules, so that both must agree.
"""
