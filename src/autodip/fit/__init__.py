"""The deep image prior: network, fit, stop."""
