"""From a registry record to a draft scenario that a person completes.

`draft` writes commented TOML; `record` reads the fields of a record, whatever it lacks; `doses` says which of the
`amounts` in its prose are dose levels for certain and `objections` what else they are, `lymphodepletion` reads agents,
amounts and days, `protocol` finds sentences about the conduct to quote; `prose` knows how such prose is spelled. Wrong
is worse than missing: what is not certain is quoted, and left to a person. Nothing here knows a rule or runs anything;
`escalate init` comes in at `draft`.
"""

from .draft import draft_scenario

__all__ = ["draft_scenario"]
