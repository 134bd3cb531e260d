"""The domain: what happened, what is known of a customer, what it means. Pure values and functions."""
