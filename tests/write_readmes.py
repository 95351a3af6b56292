"""Print and draw anew what the READMEs show: ``python tests/write_readmes.py``, after outputs or keys have changed."""

from __future__ import annotations

from pathlib import Path

from readmes import FIGURE, READMES, anew, kept_figure, relative, shown_trial, shows, write_figure


def main() -> None:
    """Write every page that has changed, and say which."""
    for page in READMES:
        text = page.read_text(encoding="utf-8")
        now = anew(text)
        if now != text:
            page.write_text(now, encoding="utf-8")
        _say(page, now != text)
    is_another = kept_figure() != shows(shown_trial())
    if is_another:
        write_figure()
    _say(FIGURE, is_another)


def _say(page: Path, is_written: bool) -> None:
    print(f"{relative(page):<40} {'written' if is_written else 'as it was'}")


if __name__ == "__main__":
    main()
