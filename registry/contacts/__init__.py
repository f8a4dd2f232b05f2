"""Contacts: the people and rooms that get messages, and their channels."""
