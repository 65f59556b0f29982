"""The local fake for AWS and the shop's backing services, driven by `template.yaml`. Never imported by a function."""
