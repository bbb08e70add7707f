"""The article page: what a publisher writes into its own template to carry the banners."""

from html import escape
from string import Template

from demo_article.stories import STORIES, Story

FREE_ARTICLES = 5
_PAGE = Template("""<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>$headline - The Daily Lantern</title>
<meta name="description" content="$standfirst">
<link rel="icon" href="/static/lantern.svg" type="image/svg+xml">
<link rel="stylesheet" href="$base/embed/v1/appeal.css">
<link rel="stylesheet" href="/static/lantern.css">
<script nonce="$nonce" src="/static/meter.js" data-article="$number" data-limit="$limit"></script>
<script nonce="$nonce" async src="$base/embed/v1/appeal.js"></script>
</head>
<body>
<nav aria-label="Skip"><a class="skip" href="#story">Skip to the story</a></nav>
$top
<header class="masthead">
  <p class="date">Monday, 23 November 2026</p>
  <p class="name"><a href="/"><img src="/static/lantern.svg" alt="" width="38" height="38">The Daily Lantern</a></p>
  <p class="motto">Light on the whole valley since 1931</p>
</header>
<nav class="sections" aria-label="Articles"><ol>$contents</ol></nav>
<main id="story">
<article>
  <p class="section">$section</p>
  <h1>$headline</h1>
  <p class="standfirst">$standfirst</p>
  <p class="byline">By <b>$author</b></p>
  <img class="picture" src="/static/valley.svg" alt="The valley at dusk, one window lit." width="1200" height="560">
  $opening
  $middle
  $second
  <section class="wall" aria-label="Free articles">$paywall</section>
  <div class="rest">
  $rest
  </div>
</article>
<div class="rest">$end</div>
</main>
<footer>
  <p>The Daily Lantern is made up, and so are its stories. It shows an appeal's banners on somebody else's site.</p>
  <p><button type="button" data-reset>Start a new month of free articles</button></p>
</footer>
</body>
</html>
""")


def render(number: int, nonce: str, appeal_url: str, slug: str) -> str:
    """Return the page of one article, counted from 1, as HTML."""
    story = STORIES[number - 1]
    paragraphs = [f"<p>{escape(text)}</p>" for text in story.paragraphs]
    banners = {
        name: banner(placement, number, appeal_url, slug)
        for name, placement in {"top": "top", "middle": "article", "paywall": "paywall", "end": "end"}.items()
    }
    return _PAGE.substitute(
        banners,
        nonce=nonce,
        base=escape(appeal_url),
        number=number,
        limit=FREE_ARTICLES,
        contents=contents(number),
        section=escape(story.section),
        headline=escape(story.headline),
        standfirst=escape(story.standfirst),
        author=escape(story.author),
        opening="".join(paragraphs[:2]),
        second="".join(paragraphs[2:4]),
        rest="".join(paragraphs[4:]),
    )


def banner(placement: str, number: int, appeal_url: str, slug: str) -> str:
    """Return one banner with the link that stands for it before, and without, the script."""
    left = f' views-left="{FREE_ARTICLES}" view-limit="{FREE_ARTICLES}"' if placement == "paywall" else ""
    address = escape(f"{appeal_url}/appeals/{slug}?src=lantern:{placement}&page=/a/{number}")
    return (
        f'<appeal-banner appeal="{escape(slug)}" src-base="{escape(appeal_url)}" placement="{placement}" '
        f'page="/a/{number}"{left}><a href="{address}">Support The Daily Lantern</a></appeal-banner>'
    )


def contents(current: int) -> str:
    """Return the links to all articles, the current one marked."""
    return "".join(_entry(number, story, current) for number, story in enumerate(STORIES, start=1))


def _entry(number: int, story: Story, current: int) -> str:
    mark = ' aria-current="page"' if number == current else ""
    return f'<li><a href="/a/{number}"{mark}>{escape(story.section)}</a></li>'
