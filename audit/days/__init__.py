"""The figures of stations and areas for local days, and their revisions."""
