"""How a model learns: one Trainer, one collator, the losses."""
