"""A first site file from a few answers: the questions, what is checked of an answer, the commented file."""
