"""From what is known of an image to its parameters, with the evidence."""
