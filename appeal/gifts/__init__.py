"""Giving: a gift begun, led to Stripe and back, settled; monthly gifts; what donors are told and handed."""
