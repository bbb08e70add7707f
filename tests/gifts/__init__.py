"""Tests of a gift begun, led to Stripe and back, settled, and of its receipt."""
