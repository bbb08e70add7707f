"""The door for machines that tell us of money: Stripe's events. It reaches the inbox and nothing else."""
