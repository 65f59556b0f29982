"""The backing services, each behind one module."""
