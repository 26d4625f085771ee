"""The commands: one file a noun, which prints and exits and has no logic of its own."""
