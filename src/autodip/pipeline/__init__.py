"""One image: describe, choose, plan, fit, assess."""
