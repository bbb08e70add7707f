"""Work that must not be lost: what came in, what goes out, what waits, and the worker that does it."""
