"""Pages: one HTML file that says all of a result, needs nothing else, and prints on A4.

`page` is the frame of every page: templates, styles, pictures as part of the file; `run` is what the page of a run
holds. Words come from the floors below, templates only put them into place, and every word of theirs is escaped.
`export` comes in and writes the file. To add a page, write what it holds as a module here and how it is laid out as a
template that extends ``frame.html``.
"""

from .page import Picture
from .run import run_page

__all__ = ["Picture", "run_page"]
