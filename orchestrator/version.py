"""The version of this program, as it stands beside every result.

Here and not in what pip wrote down when it was installed: an editable installation changes with every `git pull`.
"""

VERSION = "0.2.0"
