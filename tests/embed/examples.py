"""The examples of docs/embedding.md, by the name that stands above each."""

import re

from tests.support.run import ROOT

BASE, SLUG = "https://give.example.org", "95-years"
_EXAMPLE = re.compile(r"<!-- example: ([\w-]+) -->\n```\w*\n(.*?)\n```", re.DOTALL)


def examples() -> dict[str, str]:
    """Return every example as it stands in the document."""
    return dict(_EXAMPLE.findall((ROOT / "docs" / "embedding.md").read_text(encoding="utf-8")))


def example(name: str, base: str) -> str:
    """Return one example with an origin of ours in place of the one that the document imagines."""
    return examples()[name].replace(BASE, base)
