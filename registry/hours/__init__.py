"""Opening hours: rules, day classes, calendars."""
