"""Processing of one image: describe, choose, plan, fit, assess."""
