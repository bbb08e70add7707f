"""Where an ask stood, told from the `src` that a link carries.

`src` is `<site>:<placement>` for the banner (`www.example.org:article`), or the code of a print advertisement
(`print-...`) or a newsletter (`newsletter-...`). Plain arithmetic on text.
"""

from __future__ import annotations

BANNER = ("top", "article", "end", "paywall")
OTHERS = ("print", "newsletter", "feed", "qr", "share", "mail")
ALL = (*BANNER, *OTHERS, "other", "direct")


def of_src(src: str) -> str:
    """Return the placement that a `src` names: `direct` without one, `other` when it names none we know."""
    if not src:
        return "direct"
    last = src.rpartition(":")[2].strip().lower()
    for placement in (*BANNER, *OTHERS):
        if last == placement or last.startswith((f"{placement}-", f"{placement}_")):
            return placement
    return "other"


def site_of_src(src: str) -> str:
    """Return the site part of a `src`, or an empty text when it names none."""
    return src.rpartition(":")[0]
