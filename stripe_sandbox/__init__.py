"""A local stand-in for Stripe, for demonstrations and tests: no real card works and no money moves.

It answers the API of the installed stripe package over HTTP, shows a hosted payment page with the test cards,
sends signed webhooks, and misbehaves on demand. Every request and every answer is checked against the types that
the package ships. It knows nothing of the application that uses it. `docs/stripe-sandbox.md` describes it all.
"""

from stripe_sandbox.sandbox import Sandbox, running

__all__ = ["Sandbox", "running"]
