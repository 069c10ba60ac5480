"""A portal nobody has read yet: its family recognised, its report column found and tried, a source file proposed.

Everything is asked through the one polite client, within a budget of requests. Nothing is guessed in silence: what was
seen, what was tried and what is missing all end up in the proposal.
"""
