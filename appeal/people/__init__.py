"""Donors: who they are, the links that let them in, their data, what the office notes of them."""
