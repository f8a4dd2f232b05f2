"""Routes of findings, disputes and corrections."""
