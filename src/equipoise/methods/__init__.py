"""The control methods: one file or folder each, named in ``registry``."""
