"""Who takes part in saving and loading, and which saves and loads speak of the same checkpoint."""
