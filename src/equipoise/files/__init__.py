"""Files of ours and of strangers: written whole or not at all, read with care."""
