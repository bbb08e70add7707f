"""A demonstration newspaper: somebody else's site that carries the appeal's banners.

The Daily Lantern is made up. It runs on an origin of its own, under a strict content security policy, counts the
articles its reader has opened and knows nothing of the application: it only links to the banner's script and
style sheet, as any publisher would.
"""
