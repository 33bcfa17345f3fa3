"""The questions: one file a group. A route parses, makes one call, returns a schema."""
