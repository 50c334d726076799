"""Pages and figures about outputs; everything is computed from their files, without torch."""
