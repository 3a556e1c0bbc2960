"""Files that are written for a user, and what they may replace: never an input, and nothing of another kind unasked."""
