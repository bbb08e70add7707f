"""What the application costs beside controls that do the least that could be done, in the same run.

`make bench` (`python -m benchmarks`) starts the shipped server and its controls, alternates short rounds of load
between them, reads the processor time from the operating system, and writes `results.md`. Requests per second drift
with the machine; read the processor time a request costs, and the ratios.
"""
