"""The wording of messages: templates that an operator changed, and digests of many pages."""
