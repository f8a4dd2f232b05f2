"""Who is told: contacts, duty and substitutes as the API and the pages show them."""
