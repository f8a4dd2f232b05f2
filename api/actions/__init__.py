"""Changes that pages and routes share: each is one action of a person."""
