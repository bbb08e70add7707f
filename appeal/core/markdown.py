"""Markdown from staff turned into safe HTML: rendered, then cleaned against an allow list."""

from __future__ import annotations

from functools import lru_cache

from markupsafe import Markup

TAGS = {"p", "br", "strong", "em", "a", "ul", "ol", "li", "h2", "h3", "blockquote", "hr"}
ATTRIBUTES = {"a": {"href"}}
SCHEMES = {"https", "http", "mailto", "tel"}


@lru_cache(maxsize=256)
def render(text: str) -> Markup:
    """Render Markdown; raw HTML in it is shown as text, scripts and styles cannot come through."""
    import nh3
    from markdown_it import MarkdownIt

    html = MarkdownIt("commonmark", {"html": False}).render(text)
    clean = nh3.clean(
        html, tags=TAGS, attributes=ATTRIBUTES, url_schemes=SCHEMES, link_rel="noopener nofollow"
    )
    return Markup(clean)  # noqa: S704 - cleaned against the allow list one line above
