"""Files that clients send: bounds on their size and number, and the forms that carry them."""
