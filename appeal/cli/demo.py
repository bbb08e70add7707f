"""`flask demo`: sample data."""

import click
from flask.cli import AppGroup

group = AppGroup("demo", help="Sample data for a demonstration; refuses in production.")
