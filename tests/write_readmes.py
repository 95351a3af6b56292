"""Print anew what the READMEs print: ``python tests/write_readmes.py``, after outputs or keys have changed."""

from __future__ import annotations

from readmes import READMES, anew, relative


def main() -> None:
    """Write every page that has changed, and say which."""
    for page in READMES:
        text = page.read_text(encoding="utf-8")
        now = anew(text)
        if now != text:
            page.write_text(now, encoding="utf-8")
        print(f"{relative(page):<40} {'written' if now != text else 'as it was'}")


if __name__ == "__main__":
    main()
