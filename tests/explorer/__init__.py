"""The explorer: over real HTTP, on releases made by the loads of the program, and in a real browser."""
