"""A Redis server of our own on a loopback port, where the machine has one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from redis.exceptions import ConnectionError as RedisAway

from tests.support.machine import REDIS
from tests.support.settings import environment_for
from tests.support.waiting import until
from tools.children import LOOPBACK, Child, free_port


def _answers(client: "redis.Redis") -> bool:
    try:
        return bool(client.ping())
    except RedisAway:
        return False


@contextmanager
def redis_server(directory: Path) -> Iterator[Child]:
    """Run a server that keeps nothing; the child's `ready_url` is its `redis://` address."""
    port = free_port()
    command = [REDIS.need(), "--port", str(port), "--bind", LOOPBACK, "--save", "", "--appendonly", "no"]
    child = Child(
        "Redis", command, cwd=directory, environment=environment_for({}), log=directory / "redis.log"
    )
    child.start()
    try:
        with redis.Redis(host=LOOPBACK, port=port) as client:
            until(lambda: _answers(client), what="Redis to answer")
        child.ready_url = f"redis://{LOOPBACK}:{port}/0"
        yield child
    finally:
        child.stop()
