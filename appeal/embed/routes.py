"""What other people's pages ask for, by noun; each module adds its addresses to the one blueprint."""

from appeal.embed import (  # noqa: F401 - importing a module opens its addresses
    assets,
    beacon,
    feed,
    figure,
    frame,
    oembed,
    page,
    pictures,
    qr,
    thanks,
)
from appeal.embed.blueprint import blueprint

__all__ = ["blueprint"]
