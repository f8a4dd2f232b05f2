"""Import files about who is told: their columns, and what an import would change."""
