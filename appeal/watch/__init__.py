"""The door for machines that watch: liveness, readiness, metrics."""
