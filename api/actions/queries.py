"""The named queries of the actions."""

from typing import Final

from store.sql import queries_beside

QUERIES: Final = queries_beside(__file__)
