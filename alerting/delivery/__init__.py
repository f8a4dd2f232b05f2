"""Notifications: their texts, and the targets to which they are sent."""
