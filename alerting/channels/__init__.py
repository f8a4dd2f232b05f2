"""Channels of contacts that stopped working: when a channel is dead, and its incident."""
