"""Cold starts beside the usual way: the same services written as migrations to Lambda usually are, and two floors.

Each folder here that has a `lambda_handler.py` is the package of a function.
"""
