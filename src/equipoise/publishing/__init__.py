"""Trained models for others: the card in their folder, and the way to the Hub.

card, reward_card   what a reader must know of a trained model
write               the cards of all that one training made, written where the models are
push                a model folder, uploaded to the Hub
"""
