"""One incident for stations that fell together, suspected shards, and flapping stations."""
