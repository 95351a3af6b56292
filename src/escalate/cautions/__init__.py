"""What is wrong with no scenario, and yet would mislead: cautions, computed in one place.

A scenario that breaks a rule is refused (`scenario.checks`); one that is allowed and still surprises has a `Caution`:
what it is about, what is the matter, what to do. `about_protocol`, `about_rule` and `about_nature` find them, asking
the committee itself wherever that is possible, and `caution_lines` is the one place that says how they are shown,
`caution_brief` in figures. `shared` tells those of several scenarios, each once. Whatever prints, writes or draws
results comes in here; nothing here changes a result.
"""

from ..words.room import answers
from .caution import Caution, Cautions, caution_brief, caution_lines, caution_sentences
from .found import cautions
from .shared import Shared, shared

__all__ = ["Caution", "Cautions", "Shared", "caution_brief", "caution_lines", "caution_sentences", "cautions", "shared"]

answers(__name__, cautions)
