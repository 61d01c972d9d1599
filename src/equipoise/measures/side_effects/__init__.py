"""Side effects: what a method has changed beside its task."""
