"""One module per noun of Stripe's: what the API can do with it, and what it does by itself."""
