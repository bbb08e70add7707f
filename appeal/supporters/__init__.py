"""The supporters' door: the appeal page, the gift, the thanks. No session, no cookie, no script."""
