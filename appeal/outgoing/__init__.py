"""What the publisher's own systems and people are told as it happens: signed webhooks, a chat hook, a daily letter.

`events` writes what is to be told into the outbox, in the transaction that caused it; `sending` delivers it over
`net`, which reaches no private network; `endpoints` is what staff decide. docs/outgoing.md is for those who receive.
"""
