"""Who is online: the judge."""
