"""Who may do what: accounts, roles, scopes, passwords, tokens."""
