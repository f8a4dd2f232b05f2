"""Who answers: FastAPI and the console pages."""
