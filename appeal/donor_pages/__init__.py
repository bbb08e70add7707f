"""The donors' own door: `/giving`, reached by an e-mailed link, no password. Kept by no cache, found by no search."""

from appeal.donor_pages.routes import blueprint

__all__ = ["blueprint"]
