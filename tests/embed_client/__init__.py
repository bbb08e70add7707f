"""The banner's script in a real browser, on the demonstration newspaper, against a small JSON server."""
