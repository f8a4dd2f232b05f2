"""Pages for people: what a browser shows, in Chinese and English."""
