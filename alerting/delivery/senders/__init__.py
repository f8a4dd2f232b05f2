"""How a message goes to one address of a contact."""
