"""Photos as evidence of what people found and did at an incident, a closure or a finding."""
