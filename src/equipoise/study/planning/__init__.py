"""What a study will need, said before anything is loaded: memory, cells, tokens, time."""
