"""Pages of accounts, tokens and of who reads them."""
