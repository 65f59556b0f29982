"""The local stand-in for AWS and the shop's neighbours, driven by `template.yaml`. Never imported by a function."""
