"""The shopping assistant: a Flask application around a loop over the tools of Claude."""
