"""Photos as evidence of what people found and did at an incident or a closure."""
