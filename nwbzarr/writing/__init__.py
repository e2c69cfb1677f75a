"""From a session to a plan, and from a plan to a store: decided as data, then done, then committed."""
