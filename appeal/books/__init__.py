"""The books: the ledger, what proves and explains it, what changes it afterwards, and Stripe held against it."""
