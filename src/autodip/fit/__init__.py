"""The deep image prior: network, fit and early stopping."""
