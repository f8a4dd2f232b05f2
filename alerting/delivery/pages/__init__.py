"""From what is owed to contacts to what was sent: pages, messages and attempts."""
