"""Every path for every role, inside and outside the scope: what is answered, and that nothing else is shown."""
