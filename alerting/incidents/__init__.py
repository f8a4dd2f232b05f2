"""What is wrong, as rows: the book of incidents, its store, and what people do to them."""
