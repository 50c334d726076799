"""Choice of the parameters for an image from what is known of it, with the evidence."""
