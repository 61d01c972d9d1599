"""How numbers, lists and strangers' text become words."""
