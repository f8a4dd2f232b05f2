"""Accounts, tokens and sessions as the API answers them."""
