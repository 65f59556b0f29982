"""The product search, and the index that it searches."""
