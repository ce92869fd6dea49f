"""The Lambda API as AWS's clients speak it: functions invoked and listed by callers who sign with our credentials."""
