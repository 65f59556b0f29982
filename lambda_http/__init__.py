"""What both services do with Lambda's HTTP events and with AWS. Both packages carry it; it imports no web framework."""
