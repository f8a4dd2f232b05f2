"""Areas and stations without service."""
