"""Calls, each with a name, what they gave, and how many there are."""

import anthropic

MODEL = "claude-haiku-4-5"


def say(text, **more):
    return {"model": MODEL, "max_tokens": 64, "messages": [{"role": "user", "content": text}], **more}


class Calls:
    def __init__(self):
        self.count = {}
        self.topic = None
        self.wrong = []

    def about(self, topic):
        """What the calls that follow are about."""
        self.topic = topic

    def expect(self, name, call, expected=lambda value: True):
        """Makes a call and looks at what it gave."""
        self._counted()
        try:
            value = call()
        except Exception as error:  # whatever it is, it is the finding
            self.wrong.append({"call": name, "error": f"{type(error).__name__}: {error}"[:500]})
            return None
        self.check(name, expected(value), value)
        return value

    def refused(self, name, call, status, code=None, kind=anthropic.APIStatusError):
        """Makes a call that has to fail, and gives the error."""
        self._counted()
        try:
            value = call()
        except kind as error:
            found = (getattr(error, "status_code", None), getattr(error, "error_code", None))
            right = found[0] == status and (code is None or found[1] == code)
            self.check(name, right, f"{type(error).__name__}: {found} {error}")
            return error
        except Exception as error:
            self.wrong.append({"call": name, "error": f"{type(error).__name__}: {error}"[:500]})
        else:
            self.wrong.append({"call": name, "gave": repr(value)[:500]})
        return None

    def check(self, name, right, value=None):
        """What is no call of its own."""
        if not right:
            self.wrong.append({"call": name, "gave": repr(value)[:500]})

    def _counted(self):
        self.count[self.topic] = self.count.get(self.topic, 0) + 1
