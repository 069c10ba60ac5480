"""Five replica portals of places that do not exist, for the demo and the tests. See sandbox/README.md."""
