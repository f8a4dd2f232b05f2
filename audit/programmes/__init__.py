"""Promises of programmes, and what was reached of them by a day."""
