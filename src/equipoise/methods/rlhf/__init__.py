"""Reinforcement learning from rewards: the method, its rewards, and its rollouts."""
