"""What a study may be called: its name is a key of the results DB and a part of paths."""

STUDY_NAME = r"[a-z0-9][a-z0-9-]{0,99}"
IN_WORDS = "a name of lower-case letters, digits and dashes"
