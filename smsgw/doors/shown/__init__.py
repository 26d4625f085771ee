"""What programs are shown: the same JSON by a command's --json and over HTTP."""
