"""The conversation: from a customer's message to the answer, and what is kept of it."""
