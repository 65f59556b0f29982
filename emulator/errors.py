"""The one error that the command line shows as a sentence."""


class EmulatorError(Exception):
    """Something a person can mend. The message is one sentence that says what is wrong and what to do."""
