"""Pages of findings, disputes and corrections."""
