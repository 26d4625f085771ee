"""Texts as they travel: alphabets, encodings and the parts of a long message. All pure."""
