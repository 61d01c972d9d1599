"""Serving: a method of a finished run as a server of the OpenAI protocol.

``controlled``  a cell's model and policy, rebuilt from a run whose seals are whole
``refusal``     what cannot be answered, in OpenAI's form of an error
``limits``      how large a request may be, how many wait, and for how long
``fields``      the requests' fields: what is read, what is refused by name
``asking``      a request as what is asked of the policy
``answering``   what the policy answers: as the study would, or to any other question
``scores``      log-probabilities of tokens, in the protocol's words
``desk``        one thread computes, a queue of bounded length waits
``response``    answers in the protocol's words, whole or as a stream
``app``         the addresses, and the server itself
"""
