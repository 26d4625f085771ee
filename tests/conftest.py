"""What all tests share: properties are bounded in examples, never by a clock."""

from hypothesis import settings

settings.register_profile("quiet", deadline=None)
settings.load_profile("quiet")
