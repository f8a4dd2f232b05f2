"""Findings of auditors, disputes of stations, and corrections of history by two persons."""
