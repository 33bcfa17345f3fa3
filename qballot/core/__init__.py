"""The rules of an election as pure functions: no clock, network, files, database, environment or randomness."""
