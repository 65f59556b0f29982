"""The rehearsal of a deployment: the unmodified `sam deploy` against an emulated CloudFormation."""
