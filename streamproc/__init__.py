"""A streaming churn monitor: who is about to leave, why, what is at stake and what to do."""

__version__ = "0.1.0"
