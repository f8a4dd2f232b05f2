"""What pages and routes read from the database."""
