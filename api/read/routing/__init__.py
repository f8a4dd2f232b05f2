"""Who is told: duty and substitutes as the API and the pages show them."""
