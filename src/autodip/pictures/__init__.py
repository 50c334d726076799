"""Pictures for people: contrast, PNG and panels, from plain arrays."""
