"""Small devices without a class of their own."""
